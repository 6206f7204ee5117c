package gpu

import (
	"context"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
)

// open opens the first adapter, or skips the test where there is none.
func open(t testing.TB, o Options) device.Device {
	t.Helper()
	d, err := driver.Open()
	if err != nil {
		t.Skip("no GPU driver: ", err)
	}
	as, err := d.Adapters(context.Background())
	if err != nil || len(as) == 0 {
		d.Close()
		t.Skip("no GPU adapter: ", err)
	}
	h, err := d.Device(context.Background(), 0, driver.Want{})
	if err != nil {
		d.Close()
		t.Fatal(err)
	}
	g := New(h, as[0], o, d.Close)
	t.Cleanup(func() { g.Close() })
	return g
}

func TestOperators(t *testing.T) { optest.Run(t, open(t, Options{})) }

func TestOperatorsHalf(t *testing.T) { optest.RunHalf(t, open(t, Options{Half: true})) }

func TestCanvas(t *testing.T) { optest.RunCanvas(t, open(t, Options{})) }
