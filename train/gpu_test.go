package train

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/runtime"
)

// TestOnAGPU: a training on a GPU, resumed on the way, is that on the CPU but for
// rounding.
func TestOnAGPU(t *testing.T) {
	r := short(photos(t, 3))
	r.Steps, r.Validation.Every = 3, 2
	o, _ := options(t.TempDir())
	want := must(t, r, o)

	o, _ = options(t.TempDir())
	o.Device = "gpu"
	r.Steps = 2
	err := run(t, r, o)
	var none *runtime.DeviceError
	if errors.As(err, &none) && os.Getenv("I2SB_TEST_GPU") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	o.From = last(t, o.Out)
	r.Steps = 3
	got := must(t, r, o)
	a, b := all(t, want.Average), all(t, got.Average)
	square, moved := 0.0, 3*r.Optimizer.Rate
	for i := range a {
		d := float64(a[i] - b[i])
		square += d * d / float64(len(a))
	}
	if far := math.Sqrt(square); far > moved/100 {
		t.Errorf("weights differ by %g, they moved by up to %g", far, moved)
	}
	if strings.Contains(got.Header.Provenance, "on cpu") || !strings.Contains(want.Header.Provenance, "on cpu") {
		t.Errorf("trained %s", got.Header.Provenance)
	}
	if got.State.Position != want.State.Position || got.State.Images != want.State.Images {
		t.Errorf("%+v and %+v", got.State, want.State)
	}
}
