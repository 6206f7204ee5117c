package gpu

import (
	"context"
	"os"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
)

// open opens the first adapter with WebGPU's default limits, which are all that
// these tests may need. Where there is none the test is skipped, unless
// I2SB_TEST_GPU says that there must be one.
func open(t testing.TB, o Options) device.Device {
	t.Helper()
	skip := t.Skip
	if os.Getenv("I2SB_TEST_GPU") != "" {
		skip = t.Fatal
	}
	d, err := driver.Open()
	if err != nil {
		skip("no GPU driver: ", err)
	}
	as, err := d.Adapters(context.Background())
	if err != nil || len(as) == 0 {
		d.Close()
		skip("no GPU adapter: ", err)
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

func TestMuon(t *testing.T) {
	optest.RunMuonAgainst(t, open(t, Options{}).(device.Teacher), ref.New().(device.Teacher))
}

func TestBack(t *testing.T) { optest.RunBack(t, open(t, Options{}).(device.Teacher), 2e-3) }
