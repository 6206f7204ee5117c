//go:build !js

package runtime_test

import (
	"context"
	"fmt"
	"image"
	"log"

	"github.com/i2sb-go/i2sb/runtime"
)

func Example() {
	ctx := context.Background()
	m, err := runtime.Open(ctx, runtime.Default())
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	photo := image.NewNRGBA(image.Rect(0, 0, 40, 24)) // or image.Decode
	result, err := m.Restore(ctx, photo, runtime.WithTask("jpeg"), runtime.WithSeed(1))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Image.Bounds().Size(), result.Task, result.Sampler, result.Steps)
	// Output: (40,24) jpeg overshoot 1
}

// Four times larger: the small picture goes in, the large one comes out.
func ExampleModel_Restore_enlarge() {
	ctx := context.Background()
	m, err := runtime.Open(ctx, runtime.Default())
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	small := image.NewGray(image.Rect(0, 0, 16, 10))
	result, err := m.Restore(ctx, small, runtime.WithTask("sr4x"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Image.Bounds().Size())
	// Output: (64,40)
}

// Progress, previews and an early end.
func ExampleWithStep() {
	ctx, cancel := context.WithCancel(context.Background())
	m, err := runtime.Open(ctx, runtime.Default())
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	photo := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	_, err = m.Restore(ctx, photo, runtime.WithSteps(5), runtime.WithStep(func(s runtime.Step) error {
		preview, err := s.X0()
		if err != nil {
			return err
		}
		fmt.Println(s.Done, "of", s.Of, preview.W, preview.H)
		if s.Done == 2 {
			cancel()
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// 1 of 5 16 16
	// 2 of 5 16 16
	// context canceled
}
