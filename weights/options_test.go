package weights

import (
	"os"
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	pkl, err := os.ReadFile("testdata/options.pkl")
	if err != nil {
		t.Fatal(err)
	}
	o, err := ReadOptions(pkl)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", o)
	if o.Bridge.Interval != 1000 || o.Bridge.BetaMax <= 0 || o.Corrupt == "" || o.Network != nil {
		t.Errorf("options.pkl: %+v", o)
	}
	o, err = ReadOptions([]byte(`{"net":{"num_channels":32},"interval":500,"beta_max":1,"ot_ode":true,"corrupt":"jpeg-5"}`))
	if err != nil || o.Network.NumChannels != 32 || o.Bridge.Interval != 500 || o.Bridge.T != 1 || !o.Bridge.OTODE || o.TaskList()[0].Name != "jpeg-5" {
		t.Errorf("options.json: %+v, %v", o, err)
	}
}

// A pickle that would call os.system must be refused by name, unexecuted.
func TestHostilePickle(t *testing.T) {
	for _, p := range []string{
		"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
		"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
		"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
	} {
		_, err := ReadOptions([]byte(p))
		if err == nil || !(strings.Contains(err.Error(), "os.system") || strings.Contains(err.Error(), "builtins.eval")) {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range []string{"\x80", "\x80\x02", "\x80\x02.", "\x80\x02)R.", "\x80\x02(((((", "\x80\x02h\x05.", "\x80\x02X\xff\xff\xff\xff"} {
		if _, err := ReadOptions([]byte(p)); err == nil {
			t.Errorf("%q: no error", p)
		}
	}
}
