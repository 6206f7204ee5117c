package train

import (
	"context"
	"errors"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/checkpoint"
	"github.com/i2sb-go/i2sb/train/initial"
	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/train/watch"
	"github.com/i2sb-go/i2sb/weights"
)

// TestEveryTask trains each of the reference's tasks a few steps in the tiny
// preset, and restores with what came of it.
func TestEveryTask(t *testing.T) {
	dir := photos(t, 3)
	ode := func(r *recipe.Recipe) { r.Bridge.OTODE, r.Bridge.BetaMax = true, 1 }
	cases := []struct {
		name   string
		tasks  []string
		change func(*recipe.Recipe)
	}{
		{"jpeg-5", []string{"jpeg-5"}, nil},
		{"jpeg-10", []string{"jpeg-10"}, nil},
		{"sr4x-pool", []string{"sr4x-pool"}, nil},
		{"sr4x-bicubic", []string{"sr4x-bicubic"}, nil},
		{"blur-uni", []string{"blur-uni.official"}, ode},
		{"blur-gauss", []string{"blur-gauss.official"}, ode},
		{"inpaint-center", []string{"inpaint-center"}, ode},
		{"inpaint-freeform1020", []string{"inpaint-freeform1020"}, ode},
		{"inpaint-freeform2030", []string{"inpaint-freeform2030"}, func(r *recipe.Recipe) { ode(r); r.Loss.Mask = recipe.MaskArea }},
		{"mixture", []string{"mixture"}, nil},
		{"blind", []string{"jpeg-5..40", "jpeg-file-5..40", "sr4x-pool", "blur-gauss-0.8..3+noise-0..0.1", "inpaint-random-20..60"}, nil},
		{"conditional", []string{"decolor"}, func(r *recipe.Recipe) { r.Bridge.CondX1, r.Bridge.AddX1Noise = true, true }},
		{"grey", []string{"jpeg-10"}, func(r *recipe.Recipe) { r.Network, _ = recipe.Preset("tiny"); r.Network.OutChannels = 1 }},
		{"classes", []string{"jpeg-10"}, func(r *recipe.Recipe) {
			r.Network, _ = recipe.Preset("tiny")
			r.Network.ClassCond, r.Network.NumClasses = true, 3
		}},
		{"accumulated", []string{"jpeg-10"}, func(r *recipe.Recipe) { r.Optimizer.Accumulate, r.Optimizer.Schedule = 2, recipe.Step }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := recipe.Default()
			r.Data.Photos, r.Steps, r.Degradations, r.Preset = dir, 2, degradations(c.tasks...), "tiny"
			r.Crops = []recipe.Crop{{Size: 16, Batch: 1, Share: 1}}
			r.Validation.Side, r.Validation.NFE = 16, []int{1, 2}
			if c.change != nil {
				c.change(&r)
			}
			o, h := options(t.TempDir())
			losses := 0
			o.Progress = func(p Progress) {
				if !(p.Loss > 0) || math.IsInf(p.Loss, 0) {
					t.Errorf("step %d: loss %v", p.Step, p.Loss)
				}
				losses++
				if p.Step == 2 && len(p.Rows) != 2*len(r.Measured()) {
					t.Errorf("%d rows of validation", len(p.Rows))
				}
			}
			k := must(t, r, o)
			if losses != 2 || k.State.Steps != 2 || len(h.lines) > 0 {
				t.Errorf("%d steps, %+v, said %q", losses, k.State, h.lines)
			}
			task, sampler := k.Header.Tasks[0], ""
			if r.Bridge.OTODE {
				sampler = map[string]string{"deblur": "overshoot", "inpaint": "early"}[task.Name]
			}
			if task.Sampler != sampler {
				t.Errorf("the pack's sampler is %q, not %q", task.Sampler, sampler)
			}
			works(t, k)
		})
	}
}

// works restores a picture with a checkpoint's moving average.
func works(t *testing.T, c *checkpoint.Checkpoint) {
	t.Helper()
	if err := runtime.CheckWeights(c.Header.Network, c.Average); err != nil {
		t.Fatal(err)
	}
	m, err := runtime.OpenWeights(ctx, c.Header, c.Average)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x := bridge.NewImage(m.Channels(), 16, 16)
	y, err := m.RestoreTensor(ctx, x, runtime.WithMask(&runtime.Mask{W: 16, H: 16, Values: slices.Repeat([]uint8{255}, 256)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range y.Pix {
		if math.IsNaN(float64(v)) {
			t.Fatal("it restores to no number")
		}
	}
}

// TestPairs learns colour for grey pictures from a folder of pairs, and the loss
// falls.
func TestPairs(t *testing.T) {
	dir := t.TempDir()
	for k := range 4 {
		name := string(rune('a'+k)) + ".png"
		paint(t, filepath.Join(dir, "clean", name), 32, 32, k, sunset)
		paint(t, filepath.Join(dir, "degraded", name), 32, 32, k, grey)
	}
	paint(t, filepath.Join(dir, "clean", "alone.png"), 32, 32, 1, nil)
	paint(t, filepath.Join(dir, "degraded", "lonely.png"), 32, 32, 1, nil)
	paint(t, filepath.Join(dir, "clean", "large.png"), 32, 32, 1, nil)
	paint(t, filepath.Join(dir, "degraded", "large.png"), 31, 32, 1, nil)
	r := short("")
	r.Data.Pairs, r.Bridge.CondX1, r.Name, r.Steps, r.Validation.Split = dir, true, "colour", 60, 0.25
	r.Times = recipe.Times{Near: 1, From: 0.9}
	r.Crops = []recipe.Crop{{Size: 8, Batch: 4, Share: 1}}
	r.Optimizer.Rate, r.Validation.Every = 2e-3, 60
	o, h := options(t.TempDir())
	var losses []float64
	o.Progress = func(p Progress) { losses = append(losses, p.Loss) }
	c := must(t, r, o)
	mean := func(v []float64) (m float64) {
		for _, x := range v {
			m += x / float64(len(v))
		}
		return m
	}
	if a, b := mean(losses[:10]), mean(losses[50:]); !(b < a/2) {
		t.Errorf("the loss went from %g to %g", a, b)
	}
	for _, line := range []string{"clean/alone.png: it has no partner", "degraded/lonely.png: it has no partner", "degraded/large.png: it is of 31×32"} {
		if h.count(line) != 1 {
			t.Errorf("%q was not said once in %q", line, h.lines)
		}
	}
	if len(c.Header.Tasks) != 1 || c.Header.Tasks[0].Name != "colour" || !strings.Contains(c.Header.Provenance, "3 pairs") {
		t.Errorf("header %+v", c.Header)
	}
	if f, err := os.Open(filepath.Join(o.Out, "grid-pairs.png")); err != nil {
		t.Error(err)
	} else if m, err := png.DecodeConfig(f); err != nil || m.Width != 3*16+4*4 {
		t.Errorf("the grid: %v %v", m, err)
	}
	works(t, c)
}

// TestInterrupted resumes what a cancelled context left: the whole is that of a
// training that was not cancelled.
func TestInterrupted(t *testing.T) {
	for _, method := range []string{recipe.AdamW, recipe.Muon} {
		t.Run(method, func(t *testing.T) { interrupted(t, method) })
	}
}

func interrupted(t *testing.T, method string) {
	r := short(photos(t, 4))
	r.Optimizer.Method = method
	o, _ := options(t.TempDir())
	whole := must(t, r, o)

	o, h := options(t.TempDir())
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	o.Progress = func(p Progress) {
		if p.Step == 4 {
			stop()
		}
	}
	if err := r.Complete(nil); err != nil {
		t.Fatal(err)
	}
	if err := Run(stopped, &r, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled training: %v", err)
	}
	half := last(t, o.Out)
	if half.State.Steps != 4 {
		t.Fatalf("%d steps were saved", half.State.Steps)
	}
	o.From, o.Progress = half, nil
	same(t, must(t, half.Recipe, o), whole)
	if len(h.lines) > 0 {
		t.Errorf("said %q", h.lines)
	}
	if b, _ := os.ReadFile(filepath.Join(o.Out, "train.csv")); strings.Count(string(b), "\n") != 4 {
		t.Errorf("train.csv:\n%s", b)
	}
	if b, _ := os.ReadFile(filepath.Join(o.Out, "validation.csv")); strings.Count(string(b), "\n") != 1+2*5 {
		t.Errorf("validation.csv:\n%s", b)
	}
}

// TestOnly: layers that are not to learn keep their weights, moments and averages
// to the bit, and no other does.
func TestOnly(t *testing.T) {
	for _, method := range []string{recipe.AdamW, recipe.Muon} {
		r := short(photos(t, 2))
		r.Steps, r.Optimizer.Method, r.Optimizer.Only = 3, method, []string{"input_blocks.0.0", "out.*"}
		o, _ := options(t.TempDir())
		c := must(t, r, o)
		fresh, err := initial.Fresh(c.Recipe.Network, r.Seed)
		if err != nil {
			t.Fatal(err)
		}
		learnt := 0
		for _, info := range c.Weights.Tensors() {
			moved := false
			for _, src := range []weights.Source{c.Weights, c.Average} {
				was, is := one(t, fresh, info), one(t, src, info)
				moved = moved || !slices.Equal(was, is)
			}
			if want := r.Optimizer.Learns(runtime.Layer(info.Name)); moved != want {
				t.Errorf("%s: %s moved: %v, want %v", method, info.Name, moved, want)
			} else if want {
				learnt++
			}
		}
		if learnt != 6 {
			t.Errorf("%s: %d tensors learnt", method, learnt)
		}
		if !strings.Contains(c.Header.Provenance, "only the layers input_blocks.0.0, out.* learnt") {
			t.Errorf("provenance: %s", c.Header.Provenance)
		}
	}
}

// TestHours: a training whose hours are over ends with a validation and a
// checkpoint, however many steps are left.
func TestHours(t *testing.T) {
	r := short(photos(t, 3))
	r.Hours, r.Steps = 1e-7, 1000
	o, _ := options(t.TempDir())
	measured := false
	o.Progress = func(p Progress) { measured = p.Rows != nil }
	if c := must(t, r, o); c.State.Steps != 1 || !measured || len(c.Header.Metrics) == 0 {
		t.Errorf("%+v, measured: %v", c.State, measured)
	}
}

// TestThreadsAndAhead: neither how many threads compute nor how far ahead data is
// drawn changes anything.
func TestThreadsAndAhead(t *testing.T) {
	r := short(photos(t, 4))
	r.Validation.Every = 0
	a, _ := options(t.TempDir())
	b, _ := options(t.TempDir())
	a.Ahead, a.Threads, b.Ahead, b.Threads = 1, 1, 9, 3
	same(t, must(t, r, a), must(t, r, b))
}

// TestNoNumbers starts from weights that give none.
func TestNoNumbers(t *testing.T) {
	r := short(photos(t, 2))
	o, _ := options(t.TempDir())
	r.Steps = 1
	good := must(t, r, o)
	bad := filepath.Join(t.TempDir(), "nan.safetensors")
	f, err := os.Create(bad)
	if err != nil {
		t.Fatal(err)
	}
	sick := poisoned{good.Average}
	if err := checkpoint.Write(f, good.State, good.Recipe, good.Header, checkpoint.Sets{Average: sick, Weights: sick, Moment1: sick, Moment2: sick}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	r.Init, r.Steps = bad, 50
	o, h := options(t.TempDir())
	err = run(t, r, o)
	if err == nil || !strings.Contains(err.Error(), "10 steps in a row had no numbers") {
		t.Errorf("error %v", err)
	}
	if h.count("the gradient is no number") != 10 {
		t.Errorf("said %q", h.lines)
	}
	if _, err := os.Stat(checkpoint.Folder(o.Out).Last()); err == nil {
		t.Error("a checkpoint was written of nothing")
	}
}

// TestSomeWithoutNumbers: steps whose gradient is no number are left out, and
// the others are made as if there had been none.
func TestSomeWithoutNumbers(t *testing.T) {
	r := short(photos(t, 3))
	r.Steps, r.Validation.Every = 8, 0
	if err := r.Complete(nil); err != nil {
		t.Fatal(err)
	}
	o, h := options(t.TempDir())
	tr := newTraining(&r, o)
	defer tr.close()
	if err := tr.prepare(ctx); err != nil {
		t.Fatal(err)
	}
	sick := *tr.drawer.schedule
	sick.StdFwd = slices.Clone(sick.StdFwd)
	for i := 0; i < len(sick.StdFwd)-1; i += 4 {
		sick.StdFwd[i] = math.NaN()
	}
	tr.drawer.schedule = &sick
	if err := tr.loop(ctx); err != nil {
		t.Fatal(err)
	}
	c := last(t, o.Out)
	left := h.count("the gradient is no number")
	if c.State.Steps != 8 || left == 0 || c.State.Position != uint64(8+left) {
		t.Errorf("%d were left out: %+v", left, c.State)
	}
	for _, v := range all(t, c.Weights) {
		if math.IsNaN(float64(v)) {
			t.Fatal("there is no number among the weights")
		}
	}
}

// TestValidationWithoutNumbers: it is not the best, and its figures are not kept,
// which no checkpoint could hold.
func TestValidationWithoutNumbers(t *testing.T) {
	rows := func(v float64) []watch.Row { return []watch.Row{{Task: "jpeg-10", NFE: 1, Before: 20, After: v}} }
	tr := &training{}
	for i, c := range []struct {
		after float64
		want  bool
	}{{math.NaN(), false}, {21, true}, {math.NaN(), false}, {20.5, false}, {22, true}} {
		tr.state.Steps = i + 1
		if got := tr.better(rows(c.after)); got != c.want {
			t.Errorf("%g dB is the best: %v", c.after, got)
		}
	}
	if tr.state.Best != 2 || tr.state.BestStep != 5 {
		t.Errorf("%+v", tr.state)
	}
	if m := figures(rows(math.NaN())); len(m) != 1 || m["psnr.jpeg-10.degraded"] != 20 {
		t.Errorf("%v", m)
	}
}

type poisoned struct{ weights.Source }

func (p poisoned) ReadF32(name string, dst []float32) error {
	err := p.Source.ReadF32(name, dst)
	dst[0] = float32(math.NaN())
	return err
}
