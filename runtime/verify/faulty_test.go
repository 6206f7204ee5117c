package verify

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

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
