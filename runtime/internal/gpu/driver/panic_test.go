//go:build cgo && !js

package driver

import (
	"errors"
	"testing"
	"time"
	"unsafe"
)

// wgpu-native panics where a submit or a poll fails, here because it is given no
// queue or no device. That is an error of this device; the process and other
// devices live on.
func TestPanicIsAnError(t *testing.T) {
	d, err := Open()
	if err != nil {
		t.Skip(err)
	}
	as, err := d.Adapters(t.Context())
	if err != nil || len(as) == 0 {
		t.Skip("no adapter ", err)
	}
	for range 2 {
		for i, what := range []string{"device", "queue", "nothing"} {
			dev, err := d.Device(t.Context(), 0, Want{})
			if err != nil {
				t.Fatal(err)
			}
			s, err := dev.Sequence("s", nil)
			if err != nil {
				t.Fatal(err)
			}
			work := func() error { return errors.Join(dev.Submit(s), dev.Wait(t.Context(), time.Minute)) }
			if err := work(); err != nil {
				t.Fatal(err)
			}
			broken := what != "nothing"
			if broken {
				parts := (*[2]unsafe.Pointer)(unsafe.Pointer(dev.(*nativeDevice).c))
				parts[i] = nil // struct gpu_device begins with these
			}
			if what == "device" {
				err = dev.Wait(t.Context(), time.Minute)
			} else {
				err = work()
			}
			if broken != Is(err, Lost) || !broken && err != nil {
				t.Errorf("without its %s: error %v", what, err)
			}
			dev.Close()
		}
	}
}
