package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/weights"
)

var ctx = context.Background()

// reference counts the tensors of a file that should give a row.
func reference(t *testing.T, name string) (want []string) {
	t.Helper()
	if name == "adm256.shapes.json" {
		return nil
	}
	for k := range readFile(t, name).tensors {
		input := k == "x" || k == "t" || k == "label" || k == "x1" || k == "mask" || k == "clean" ||
			strings.HasPrefix(k, "noise.") || strings.HasPrefix(k, "params.") || strings.HasPrefix(k, "params0.")
		if step, what, ok := strings.Cut(k, "."); ok && strings.HasPrefix(step, "it") {
			input = what != "xt" && what != "label"
		}
		if !input {
			want = append(want, k)
		}
	}
	slices.Sort(want)
	return want
}

func tensors(rows []Row) (names []string) {
	for _, r := range rows {
		names = append(names, r.Tensor)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func check(t *testing.T, path, device string) []Row {
	t.Helper()
	start := time.Now()
	rows, err := File(ctx, path, Options{Device: device})
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for _, r := range rows {
		if !r.OK || r.File != path || r.OK != (r.MaxAbsErr <= r.Tolerance) {
			t.Errorf("%+v", r)
		}
		if r.Tolerance > 0 {
			worst = max(worst, r.MaxAbsErr/r.Tolerance)
		}
	}
	t.Logf("%d rows, worst at %.3f of its tolerance, %v", len(rows), worst, time.Since(start).Round(time.Millisecond))
	return rows
}

func TestFixtures(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.safetensors")
	for _, path := range append(paths, "testdata/adm256.shapes.json") {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			if name == "checkpoint.expected.safetensors" {
				dir := t.TempDir()
				link(t, dir, name, "checkpoint.pt", "checkpoint.legacy.pt")
				path = filepath.Join(dir, name)
			}
			rows := check(t, path, "cpu")
			if strings.HasPrefix(name, "checkpoint") && len(rows) != 4 {
				t.Errorf("%d rows, want two of each checkpoint", len(rows))
			}
			if want := reference(t, name); want != nil && !slices.Equal(tensors(rows), want) {
				t.Errorf("rows for %v\nwant %v", tensors(rows), want)
			}
			if name == "adm256.shapes.json" && len(rows) != 567 {
				t.Errorf("%d rows, want 566 tensors and their sum", len(rows))
			}
		})
	}
}

// TestKernels evaluates the networks and walks with all sets of kernels but the
// first, which TestFixtures takes.
func TestKernels(t *testing.T) {
	for _, kernel := range kernels.Names()[1:] {
		for _, name := range []string{"unet-plain", "unet-cond", "unet-class", "unet-neworder", "unet-tiny", "sample-sde", "sample-inpaint", "train-sde", "train-inpaint-ode"} {
			t.Run(kernel+" "+name, func(t *testing.T) {
				t.Setenv(kernels.Variable, kernel)
				check(t, "testdata/"+name+".safetensors", "cpu")
			})
		}
	}
}

// TestReference runs the specification itself.
func TestReference(t *testing.T) {
	for _, name := range []string{"unet-cond.safetensors", "schedule.safetensors", "operators.safetensors", "train-inpaint-ode.safetensors"} {
		t.Run(name, func(t *testing.T) { check(t, filepath.Join("testdata", name), "ref") })
	}
}

// TestOneValue changes one value of each of these tensors: that row, and only
// that row, must fail.
func TestOneValue(t *testing.T) {
	for _, c := range []struct {
		file, tensor string
		index        int
		by           float32
	}{
		{"schedule", "1000.0.3.betas", 3, 1e-9},
		{"schedule", "20.1.0.std_sb", 0, 1e-6},
		{"schedule", "500.noise_levels", 499, 0.01},
		{"schedule", "20.steps.nfe5", 2, 1},
		{"operators", "clean_u8", 5, 1},
		{"operators", "sr4x-pool", 100, 1e-4},
		{"operators", "sr4x-bicubic", 100, -1e-4},
		{"operators", "blur-uni.official", 77, 0.01},
		{"operators", "jpeg-10", 4000, 0.01},
		{"operators", "jpeg-50", 0, 0.5},
		{"operators", "inpaint-center.mask", 0, 1},
		{"operators", "inpaint-center", 9, 1e-4},
		{"unet-cond", "y", 12, 0.01},
		{"unet-tiny", "act.output_blocks.1", 70000, 0.1},
		{"sample-inpaint-ode", "x1_filled", 8, 0.001},
		{"sample-cond-clip", "xs", 7000, 0.001},
		{"sample-cond-clip", "steps", 1, 1},
		{"checkpoint.expected", "y_ema", 1, 0.01},
	} {
		t.Run(c.file+" "+c.tensor, func(t *testing.T) {
			dir := t.TempDir()
			link(t, dir, "checkpoint.pt")
			if c.file != "unet-tiny" {
				link(t, dir, "unet-tiny.safetensors")
			}
			if c.file != "unet-cond" {
				link(t, dir, "unet-cond.safetensors")
			}
			f := readFile(t, c.file+".safetensors")
			f.add(c.tensor, c.index, c.by)
			for n := range f.tensors { // the other blocks take their time
				if (n == "y_net" || strings.HasPrefix(n, "act.")) && n != c.tensor {
					delete(f.tensors, n)
				}
			}
			rows, err := File(ctx, f.write(t, dir, c.file+".safetensors"), Options{Device: "cpu"})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				if r.OK != (r.Tensor != c.tensor) {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// TestOneGradient changes two values of a first step: those rows alone fail.
func TestOneGradient(t *testing.T) {
	dir := t.TempDir()
	f := readFile(t, "train-inpaint-ode.safetensors")
	for n := range f.tensors {
		if n == "losses" || strings.HasPrefix(n, "it1.") || strings.HasPrefix(n, "params2.") || strings.HasPrefix(n, "ema.") {
			delete(f.tensors, n)
		}
	}
	wrong := []string{"grad0.middle_block.1.qkv.weight", "it0.label"}
	for _, n := range wrong {
		f.add(n, 50, 0.02)
	}
	path := f.write(t, dir, "train.safetensors")
	rows, err := File(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.OK == slices.Contains(wrong, r.Tensor) {
			t.Errorf("%+v", r)
		}
	}
}

func TestNoNumbers(t *testing.T) {
	f := readFile(t, "unet-cond.safetensors")
	f.add("y", 3, float32(math.NaN()))
	rows, err := File(ctx, f.write(t, t.TempDir(), "a.safetensors"), Options{Device: "cpu"})
	if err != nil || len(rows) != 1 || rows[0].OK || rows[0].MaxAbsErr != math.MaxFloat64 {
		t.Errorf("%+v, %v", rows, err)
	}
	if _, err := json.Marshal(rows); err != nil {
		t.Error(err)
	}
	r := relative("t", []float32{1, float32(math.NaN()), 2}, []float64{1, 1, 2}, 1e-6)
	if _, err := json.Marshal(r); err != nil || r.OK {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestBatch(t *testing.T) {
	f := readFile(t, "sample-cond-clip.safetensors")
	f.double("x1", "noise.0", "noise.1", "xs", "pred_x0")
	dir := t.TempDir()
	link(t, dir, "unet-cond.safetensors")
	path := f.write(t, dir, "a.safetensors")
	check(t, path, "cpu")
	f.add("noise.1", 3*32*32+3, 0.5) // of the second item
	path = f.write(t, dir, "a.safetensors")
	rows, err := File(ctx, path, Options{})
	if err != nil || !slices.ContainsFunc(rows, func(r Row) bool { return !r.OK }) {
		t.Errorf("%+v, %v", rows, err)
	}

	o := readFile(t, "operators.safetensors")
	for n := range o.tensors {
		if n == "clean_u8" {
			o.tensors[n].Shape = append([]int{1}, o.tensors[n].Shape...)
		}
		o.double(n)
	}
	check(t, o.write(t, dir, "o.safetensors"), "cpu")
}

// TestParametersWithin moves the weights into the sample fixture.
func TestParametersWithin(t *testing.T) {
	f := readFile(t, "sample-cond-clip.safetensors")
	for n, r := range readFile(t, "unet-cond.safetensors").tensors {
		if strings.HasPrefix(n, "params.") {
			f.tensors[n] = r
		}
	}
	f.meta["params"] = "in this file"
	check(t, f.write(t, t.TempDir(), "a.safetensors"), "cpu")
}

// TestMalformed wants one clear error for each; the words must be in it.
func TestMalformed(t *testing.T) {
	edit := func(name string, change func(*file)) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			f := readFile(t, name+".safetensors")
			change(f)
			return f.write(t, dir, name+".safetensors")
		}
	}
	without := func(name, tensor string) func(*testing.T, string) string {
		return edit(name, func(f *file) { delete(f.tensors, tensor) })
	}
	text := func(s string) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			p := filepath.Join(dir, "a")
			if err := os.WriteFile(p, []byte(s), 0o666); err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
	for name, c := range map[string]struct {
		make func(*testing.T, string) string
		want string
	}{
		"absent":         {func(_ *testing.T, dir string) string { return dir + "/none" }, "no such file"},
		"folder":         {func(_ *testing.T, dir string) string { return dir }, "directory"},
		"empty":          {text(""), "no fixture that verify knows"},
		"text":           {text("hello, this is a text\n"), "no fixture that verify knows"},
		"json":           {text(`{"a": 1}`), "no fixture that verify knows"},
		"bad json":       {text(`{"config": 1}`), "no fixture that verify knows"},
		"shapes":         {text(`{"config": {"image_size": 7}, "tensors": {"a": [1]}}`), "channel"},
		"truncated":      {text("\x40\x00\x00\x00\x00\x00\x00\x00{\"x\""), ""},
		"unknown":        {edit("unet-cond", func(f *file) { f.tensors = map[string]*raw{"a": f.tensors["y"]} }), "no fixture that verify knows"},
		"training":       {edit("unet-cond", func(f *file) { f.tensors["losses"] = f.tensors["t"] }), "what the tensor t is"},
		"no x":           {without("unet-cond", "x"), "x is missing"},
		"no y":           {without("unet-cond", "y"), "no reference"},
		"no t":           {without("unet-cond", "t"), "t is missing"},
		"no weight":      {without("unet-cond", "params.out.2.bias"), "out.2.bias is missing"},
		"weight shape":   {edit("unet-cond", func(f *file) { f.tensors["params.out.2.bias"].Shape = []int{1, 3} }), "out.2.bias"},
		"no label":       {without("unet-class", "label"), "label"},
		"label too much": {edit("unet-cond", func(f *file) { f.tensors["label"] = f.tensors["t"] }), "label"},
		"config":         {edit("unet-cond", func(f *file) { delete(f.meta, "config") }), "config"},
		"config text":    {edit("unet-cond", func(f *file) { f.meta["config"] = "{" }), "config"},
		"x flat":         {edit("unet-cond", func(f *file) { f.tensors["x"].Shape = []int{6, 1024} }), "x is"},
		"y shape":        {edit("unet-cond", func(f *file) { f.tensors["y"].Shape = []int{1, 3, 16, 64} }), "y is"},
		"block":          {edit("unet-cond", func(f *file) { f.tensors["act.nowhere"] = f.tensors["t"] }), "nowhere"},
		"tensor":         {edit("unet-cond", func(f *file) { f.tensors["foo"] = f.tensors["t"] }), "foo"},
		"no parameters":  {edit("sample-sde", func(f *file) {}), "unet-tiny"},
		"outside":        {edit("sample-sde", func(f *file) { f.meta["params"] = "../x params.*" }), "beside"},
		"no x1":          {without("sample-sde", "x1"), "x1 is missing"},
		"no xs":          {edit("sample-sde", func(f *file) { f.meta["nfe"] = "0" }), "0"},
		"nfe":            {edit("sample-sde", func(f *file) { f.meta["nfe"] = "x" }), "nfe"},
		"noise":          {without("sample-sde", "noise.3"), "noise"},
		"interval":       {edit("sample-sde", func(f *file) { f.meta["interval"] = "2000000000" }), ""},
		"no fill":        {without("sample-inpaint", "noise.0"), "noise.0"},
		"operator":       {edit("operators", func(f *file) { f.tensors["sr9x"] = f.tensors["clean"] }), "sr9x"},
		"no clean":       {edit("operators", func(f *file) { delete(f.tensors, "clean"); delete(f.tensors, "clean_u8") }), "no fixture"},
		"no pt":          {edit("checkpoint.expected", func(f *file) {}), "checkpoint.pt"},
		"table":          {edit("schedule", func(f *file) { f.tensors["20.0.3.gammas"] = f.tensors["20.noise_levels"] }), "gammas"},
		"table length":   {edit("schedule", func(f *file) { f.tensors["20.0.3.betas"] = f.tensors["500.noise_levels"] }), "20 elements"},
		"odd":            {edit("schedule", func(f *file) { f.tensors["21.0.3.betas"] = f.tensors["20.noise_levels"] }), "21"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := File(ctx, c.make(t, t.TempDir()), Options{Device: "cpu"})
			if err == nil {
				t.Fatalf("no error; %v", rows)
			}
			if !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 2 {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

func TestDeviceName(t *testing.T) {
	if _, err := File(ctx, "testdata/unet-cond.safetensors", Options{Device: "abacus"}); err == nil || !strings.Contains(err.Error(), "abacus") {
		t.Error(err)
	}
	if networkTolerance("llvmpipe", false) != 1e-3 || networkTolerance("llvmpipe", true) != 2e-2 || stateTolerance("ref", true) != 1e-4 {
		t.Error("tolerances")
	}
}

func TestJPEGTie(t *testing.T) {
	const h, w = 32, 48
	picture := func() *tensor { return &tensor{shape: []int{1, 3, h, w}, v: make([]float32, 3*h*w)} }
	flip := func(p *tensor, y, x, scale int, gain [3]float64) {
		for c := range 3 {
			for i := range 8 * scale {
				for k := range 8 * scale {
					p.v[(c*h+y+i)*w+x+k] += float32(gain[c] * basis(2, i/scale) * basis(5, k/scale))
				}
			}
		}
	}
	want := picture()
	for name, c := range map[string]struct {
		change func(*tensor)
		ok     bool
	}{
		"luminance":    {func(p *tensor) { flip(p, 8, 16, 1, [3]float64{.1, .1, .1}) }, true},
		"chrominance":  {func(p *tensor) { flip(p, 16, 16, 2, [3]float64{.14, -.07, 0}) }, true},
		"two":          {func(p *tensor) { flip(p, 8, 16, 1, [3]float64{.1, .1, .1}); flip(p, 0, 0, 1, [3]float64{.1, .1, .1}) }, false},
		"one value":    {func(p *tensor) { p.v[77] += 0.1 }, false},
		"not on block": {func(p *tensor) { flip(p, 4, 16, 1, [3]float64{.1, .1, .1}) }, false},
	} {
		got := picture()
		c.change(got)
		if r := jpegRow("jpeg-10", want, got); r.OK != c.ok || r.OK != (r.MaxAbsErr <= r.Tolerance) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestRecordedMask brings a hole that was drawn at random.
func TestRecordedMask(t *testing.T) {
	f := readFile(t, "operators.safetensors")
	for _, n := range []string{"", ".mask"} {
		f.tensors["inpaint-freeform1020"+n] = f.tensors["inpaint-center"+n]
	}
	check(t, f.write(t, t.TempDir(), "a.safetensors"), "cpu")
	f.tensors["inpaint-freeform1020"] = f.tensors["clean"]
	rows, err := File(ctx, f.write(t, t.TempDir(), "a.safetensors"), Options{})
	for _, r := range rows {
		if r.OK != (r.Tensor != "inpaint-freeform1020") {
			t.Errorf("%+v", r)
		}
	}
	delete(f.tensors, "inpaint-freeform1020.mask")
	if _, err2 := File(ctx, f.write(t, t.TempDir(), "a.safetensors"), Options{}); err != nil || err2 == nil {
		t.Error(err, err2)
	}
}

func TestPack(t *testing.T) {
	f, err := openFixture("testdata/unet-cond.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	var b bytes.Buffer
	if err := weights.Write(&b, weights.Header{}, f.params("params."), weights.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.i2sb")
	for _, damaged := range []bool{false, true} {
		if damaged {
			b.Bytes()[b.Len()/2] ^= 1
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		rows, err := File(ctx, path, Options{})
		if err != nil || len(rows) != len(f.params("params.").Tensors()) {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		bad := 0
		for _, r := range rows {
			if !r.OK {
				bad++
			}
		}
		if damaged != (bad == 1) {
			t.Errorf("damaged %v: %d bad tensors", damaged, bad)
		}
	}
}
