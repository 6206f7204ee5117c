//go:build !js

package runtime_test

import (
	"math"
	"os"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/metric"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// A tiled restoration must agree with the whole one, and no seam may show:
// GroupNorm's statistics and attention are local to a tile.
func TestTilesAgreeWithTheWhole(t *testing.T) {
	if raceDetector || testing.Short() {
		t.Skip("evaluates the default network about ten times at 256×256")
	}
	f, err := os.Open("../testdata/canyon-wren.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := picture.Decode(f, picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	x := bridge.NewImage(3, 256, 256)
	for c := range 3 {
		for y := range 256 {
			copy(x.Plane(c)[y*256:(y+1)*256], p.Image.Plane(c)[y*p.Image.W+64:])
		}
	}
	m, err := runtime.Open(ctx, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	whole := restore(t, m, x, runtime.WithSteps(3), runtime.WithTile(-1))
	tiled := restore(t, m, x, runtime.WithSteps(3), runtime.WithTile(128))
	agree, err := metric.PSNR(tiled, whole)
	if err != nil {
		t.Fatal(err)
	}
	// Tiles of 128 that overlap by 32 start at 0, 64 and 128: seams lie in the
	// middle of the overlaps.
	var sum [2]float64
	var count [2]int
	for c := range 3 {
		for i, v := range tiled.Plane(c) {
			near := 0
			for _, seam := range []int{96, 160} {
				if absolute(i%256-seam) <= 8 || absolute(i/256-seam) <= 8 {
					near = 1
				}
			}
			sum[near] += math.Abs(float64(v - whole.Plane(c)[i]))
			count[near]++
		}
	}
	ratio := sum[1] / float64(count[1]) / (sum[0] / float64(count[0]))
	t.Logf("tiled and whole agree to %.1f dB; difference near seams is %.2f of that elsewhere", agree, ratio)
	if agree < 42 || ratio > 1.2 {
		t.Errorf("tiled and whole agree to %.1f dB (want 42); difference near seams is %.2f of that elsewhere (want at most 1.2)", agree, ratio)
	}
}

func absolute(i int) int { return max(i, -i) }

// What info --memory promises: 60 bytes a pixel at most beside the tile's arena.
func TestStatePerPixel(t *testing.T) {
	for _, sampler := range []string{"posterior", "i3sb", "dbim1", "dbim2", "dbim3"} {
		mem, err := runtime.PlanMemory(header(nil), 2048, 1024, runtime.WithSampler(sampler), runtime.WithSteps(5), runtime.WithTile(256))
		if err != nil {
			t.Fatal(err)
		}
		if per := float64(mem.State) / (2048 * 1024); per > 60 {
			t.Errorf("%s: %.1f bytes a pixel", sampler, per)
		}
		large, err := runtime.PlanMemory(header(nil), 8192, 8192, runtime.WithSampler(sampler), runtime.WithSteps(5), runtime.WithTile(256))
		if err != nil || large.Arena != mem.Arena || large.Work != mem.Work {
			t.Errorf("%s: the arena grows with the picture: %+v, %+v (%v)", sampler, mem, large, err)
		}
	}
}
