package devices

import (
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

func TestChoose(t *testing.T) {
	software := driver.Adapter{Name: "llvmpipe (LLVM 15)", Type: "software", Software: true}
	inside := driver.Adapter{Name: "Intel UHD", Type: "integrated"}
	card := driver.Adapter{Name: "NVIDIA H100", Type: "discrete"}
	for _, c := range []struct {
		name string
		as   []driver.Adapter
		want int
		err  string
	}{
		{"", []driver.Adapter{software, inside, card}, 2, ""},
		{"", []driver.Adapter{software, inside}, 1, ""},
		{"", []driver.Adapter{software}, 0, "gpu:0 is llvmpipe"},
		{"gpu", []driver.Adapter{software}, 0, ""},
		{"gpu", []driver.Adapter{software, card, inside}, 1, ""},
		{"gpu", nil, 0, "install"},
		{"gpu:1", []driver.Adapter{software, card}, 1, ""},
		{"gpu:2", []driver.Adapter{software, card}, 0, "gpu:1 is NVIDIA H100"},
		{"gpu:x", nil, 0, "install"},
		{"h100", []driver.Adapter{software, card}, 1, ""},
		{"tpu", []driver.Adapter{card}, 0, "no such device"},
	} {
		got, err := choose(c.name, c.as)
		if c.err == "" && (err != nil || got != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q of %d adapters: %d, error %v", c.name, len(c.as), got, err)
		}
	}
}

func TestPrecision(t *testing.T) {
	if _, err := Open("cpu", Options{Precision: "f64"}); err == nil || !strings.Contains(err.Error(), "f16") {
		t.Errorf("error %v", err)
	}
}

// What auto takes has a reason, also where it is the CPU.
func TestWhy(t *testing.T) {
	software := driver.Adapter{Name: "llvmpipe", Type: "software", Software: true}
	card := driver.Adapter{Name: "NVIDIA H100", Type: "discrete"}
	for _, c := range []struct {
		as   []driver.Adapter
		want int
		why  string
	}{{nil, -1, "install"}, {[]driver.Adapter{software}, -1, "only software"}, {[]driver.Adapter{card}, 0, "only GPU"},
		{[]driver.Adapter{software, card}, 1, "of 2 adapters"}} {
		if i, why := best(c.as); i != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%d adapters: %d, %s", len(c.as), i, why)
		}
	}
}
