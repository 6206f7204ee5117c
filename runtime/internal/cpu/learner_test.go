package cpu

import (
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
)

func TestBack(t *testing.T) {
	for _, s := range kernels.All() {
		t.Run(s.Name(), func(t *testing.T) {
			d := NewWith(s, 2)
			defer d.Close()
			optest.RunBackAgainst(t, d.(device.Teacher), ref.New().(device.Teacher))
			optest.RunBack(t, d.(device.Teacher), 1e-2)
		})
	}
}
