package recipe

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/weights"
)

func complete(t *testing.T, change func(*Recipe)) Recipe {
	t.Helper()
	r := Default()
	r.Data.Photos = "album"
	if change != nil {
		change(&r)
	}
	if err := r.Complete(nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRoundTrip: a recipe that was written is read as what it was.
func TestRoundTrip(t *testing.T) {
	r := complete(t, func(r *Recipe) {
		r.Preset, r.Seed, r.Optimizer.Rate = "tiny", 1<<62+1, 1.0/3
		r.Bridge.CondX1, r.Data.Exclude, r.Validation.NFE = true, []string{"a*", `q"`}, []int{1, 4}
	})
	var again Recipe
	if err := again.Read(r.String()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, again) {
		t.Errorf("%+v became %+v", r, again)
	}
	if r.Network.InChannels != 6 || r.Network.ChannelMult != "1,2" {
		t.Errorf("network %+v", r.Network)
	}
}

func TestReadPutsOver(t *testing.T) {
	r := Default()
	err := r.Read("steps = 7\npreset = \"tiny\"\n[network]\nnum_res_blocks = 2\n[data]\nphotos = \"x\"\n[[degradation]]\nname = \"jpeg-10\"\nweight = 2\n[optimizer]\nclip = 0.0\n")
	if err != nil {
		t.Fatal(err)
	}
	if r.Steps != 7 || r.Network.NumResBlocks != 2 || r.Network.ChannelMult != "1,2" || len(r.Degradations) != 1 || len(r.Crops) != 2 || r.Optimizer.Clip != 0 || r.Optimizer.Rate != Default().Optimizer.Rate {
		t.Errorf("%+v", r)
	}
	for text, want := range map[string]string{
		"stepz = 3":              "no stepz",
		"[data]\nfotos = \"x\"":  "no data.fotos",
		"steps = \"many\"":       "steps",
		"preset = \"huge\"":      "no preset",
		"steps = ":               "line 1",
		"[[crop]]\nsides = 3":    "no crop.sides",
		"[network]\nblocks = 3":  "no network.blocks",
		"[optimizer]\nrate = []": "rate",
	} {
		r := Default()
		if err := r.Read(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatCannotBeMeant(t *testing.T) {
	for want, change := range map[string]func(*Recipe){
		"either photos or pairs":    func(r *Recipe) { r.Data.Pairs = "y" },
		"no preset":                 func(r *Recipe) { r.Preset = "huge" },
		"interval 7":                func(r *Recipe) { r.Bridge.Interval = 7 },
		"no degradation is given":   func(r *Recipe) { r.Degradations = nil },
		"there is no degradation":   func(r *Recipe) { r.Validation.Tasks = []string{"rain"} },
		"no pattern":                func(r *Recipe) { r.Data.Exclude = []string{"[a"} },
		"no size of crops":          func(r *Recipe) { r.Crops = nil },
		"must be above 0":           func(r *Recipe) { r.Crops[0].Share = 0 },
		"two entries for crops":     func(r *Recipe) { r.Crops[1].Size = 64 },
		"nfe 1000":                  func(r *Recipe) { r.Validation.NFE = []int{1000} },
		"mask is \"half\"":          func(r *Recipe) { r.Loss.Mask = "half" },
		"optimizer is \"sgd\"":      func(r *Recipe) { r.Optimizer.Method = "sgd" },
		"schedule is \"\"":          func(r *Recipe) { r.Optimizer.Schedule = "" },
		"steps is 0":                func(r *Recipe) { r.Steps = 0 },
		"rate is NaN":               func(r *Recipe) { r.Optimizer.Rate = math.NaN() },
		"near is 1.5":               func(r *Recipe) { r.Times.Near = 1.5 },
		"average is 1":              func(r *Recipe) { r.Optimizer.Average = 1 },
		"out_channels is 2":         func(r *Recipe) { r.Network, _ = Preset("tiny"); r.Network.OutChannels = 2 },
		"multiples of 32":           func(r *Recipe) { r.Network, _ = Preset("tiny"); r.Network.NumChannels = 33 },
		"with other heads":          nil, // below
		"accumulate is 0":           func(r *Recipe) { r.Optimizer.Accumulate = 0 },
		"cache_mb is -1":            func(r *Recipe) { r.Data.CacheMB = -1 },
		"side is 4":                 func(r *Recipe) { r.Validation.Side = 4 },
		"the range 9..3":            func(r *Recipe) { r.Degradations[0].Name = "jpeg-9..3" },
		"the weight of sr4x-pool":   func(r *Recipe) { r.Degradations[2].Weight = -1 },
		"beta_max 0":                func(r *Recipe) { r.Bridge.BetaMax = 0 },
		"keep.every is 0":           func(r *Recipe) { r.Keep.Every = 0 },
		"validation.every is -1":    func(r *Recipe) { r.Validation.Every = -1 },
		"no default channel_mult":   func(r *Recipe) { r.Network, _ = Preset("tiny"); r.Network.ChannelMult, r.Network.ImageSize = "", 100 },
		"do not divide into heads":  func(r *Recipe) { r.Network, _ = Preset("tiny"); r.Network.NumHeadChannels = 48 },
		"levels, more than":         func(r *Recipe) { r.Network, _ = Preset("tiny"); r.Network.ChannelMult = strings.Repeat("1,", 11) + "1" },
		"classes are out of range":  func(r *Recipe) { r.Network, _ = Preset("tiny"); r.Network.ClassCond, r.Network.NumClasses = true, -1 },
		"must be positive":          func(r *Recipe) { r.Bridge.BetaMax = -1 },
		"noise levels from t0":      func(r *Recipe) { r.Bridge.T0 = 2 },
		"minutes is -1":             func(r *Recipe) { r.Keep.Minutes = -1 },
		"it can be official":        func(r *Recipe) { r.Loss.Mask = "" },
		"it can be cosine, step":    func(r *Recipe) { r.Optimizer.Schedule = "linear" },
		"only: \"[\" is no pattern": func(r *Recipe) { r.Optimizer.Only = []string{"["} },
		"no layer like \"tail.*\"; its layers are called time_embed.0, time_embed.2": func(r *Recipe) { r.Optimizer.Only = []string{"time_embed.*", "tail.*"} },
		"layers that do not learn are to stay":                                       func(r *Recipe) { r.Optimizer.Only, r.Optimizer.Decay = []string{"*.emb_layers.*"}, 0.1 },
		"hold is 2":                                                                  func(r *Recipe) { r.Optimizer.Hold = 2 },
		"every is 0; it can be fro":                                                  func(r *Recipe) { r.Optimizer.Every = 0 },
	} {
		if change == nil {
			continue
		}
		r := Default()
		r.Data.Photos = "album"
		change(&r)
		if err := r.Complete(nil); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		}
	}
	r := Default()
	r.Data.Photos, r.Preset = "album", "small"
	other := weights.ADM256(false)
	if err := r.Complete(&weights.Header{Network: other}); err == nil || !strings.Contains(err.Error(), "other heads") {
		t.Errorf("another network's weights: %v", err)
	}
}

// TestChanges: what a resumed run may change, and what not.
func TestChanges(t *testing.T) {
	old := complete(t, nil)
	next := func(change func(*Recipe)) Recipe {
		return complete(t, change)
	}
	if c, err := next(func(r *Recipe) {
		r.Steps, r.Hours, r.Keep.Every, r.Validation.Grid, r.Name, r.Data.CacheMB = 9, 2, 7, 1, "n", 3
	}).Changes(old); err != nil || len(c) > 0 {
		t.Errorf("free to change: %q, %v", c, err)
	}
	c, err := next(func(r *Recipe) {
		r.Optimizer.Rate, r.Degradations, r.Seed = 1e-5, Blind()[:1], 2
	}).Changes(old)
	if err != nil || len(c) != 3 || !strings.HasSuffix(c[0], " sr4x-bicubic blur-gauss-0.8..3:2] → [jpeg-5..40]") || c[1] != "optimizer.rate: 0.0002 → 1e-05" {
		t.Errorf("%q, %v", c, err)
	}
	for name, change := range map[string]func(*Recipe){
		"preset": func(r *Recipe) { r.Preset = "tiny" },
		"bridge": func(r *Recipe) { r.Bridge.OTODE = true },
		"cond":   func(r *Recipe) { r.Bridge.CondX1 = true },
		"init":   func(r *Recipe) { r.Init = "default" },
	} {
		if _, err := next(change).Changes(old); err == nil || !strings.Contains(err.Error(), "--init") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRates(t *testing.T) {
	r := complete(t, func(r *Recipe) { r.Steps = 1000; r.Optimizer.Warm, r.Optimizer.Rate, r.Optimizer.Last = 100, 1, 0.1 })
	f := r.RateOf()
	for _, v := range [][2]float64{{f(1), 0.01}, {f(100), 1}, {f(550), 0.55}, {f(1000), 0.1}} {
		if math.Abs(v[0]-v[1]) > 1e-9 {
			t.Errorf("cosine: %g, want %g", v[0], v[1])
		}
	}
	r.Optimizer.Hold = 0.6
	f = r.RateOf()
	for _, v := range [][2]float64{{f(50), 0.5}, {f(101), 1}, {f(600), 1}, {f(800), 0.55}, {f(1000), 0.1}} {
		if math.Abs(v[0]-v[1]) > 1e-9 {
			t.Errorf("held: %g, want %g", v[0], v[1])
		}
	}
	r.Optimizer.Schedule = Step
	f = r.RateOf()
	if f(1) != 1 || f(1000) != 1 || math.Abs(f(2001)-0.99*0.99) > 1e-12 {
		t.Errorf("steps: %g %g %g", f(1), f(1000), f(2001))
	}
}

func TestCropsAndPresets(t *testing.T) {
	for _, s := range []string{"64x16:1", "128x4:0.35"} {
		if c, err := ParseCrop(s); err != nil || c.String() != s {
			t.Errorf("%q: %v, %v", s, c, err)
		}
	}
	for _, s := range []string{"", "64", "x4", "64x", "64x4:", "64x4:y"} {
		if _, err := ParseCrop(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
	for _, name := range Presets() {
		complete(t, func(r *Recipe) { r.Preset = name })
	}
}
