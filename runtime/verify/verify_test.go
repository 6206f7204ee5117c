package verify

import (
	"bytes"
	"context"
	"encoding/binary"
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
			rows := check(t, complete(t, path), "cpu")
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

// complete puts a fixture beside the checkpoints that it speaks of, if it does.
func complete(t *testing.T, path string) string {
	name := filepath.Base(path)
	if name != "checkpoint.expected.safetensors" {
		return path
	}
	dir := t.TempDir()
	link(t, dir, name, "checkpoint.pt", "checkpoint.legacy.pt")
	return filepath.Join(dir, name)
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

// One checkpoint beside its fixture is enough, whichever it is.
func TestOneCheckpoint(t *testing.T) {
	for _, pt := range []string{"checkpoint.pt", "checkpoint.legacy.pt"} {
		dir := t.TempDir()
		link(t, dir, "checkpoint.expected.safetensors", pt)
		rows, err := File(ctx, filepath.Join(dir, "checkpoint.expected.safetensors"), Options{Device: "cpu"})
		if err != nil || len(rows) != 2 || !rows[0].OK || !rows[1].OK {
			t.Errorf("%s: %v, %v", pt, rows, err)
		}
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

// TestBlocksOfAClass asks a class-conditional network for what its labels
// bring, which takes blocks that come before they are read.
func TestBlocksOfAClass(t *testing.T) {
	f := readFile(t, "unet-class.safetensors")
	table, label := f.tensors["params.label_emb.weight"], f.tensors["label"]
	size := 4 * table.Shape[1]
	emb := &raw{DType: "F32", Shape: []int{label.Shape[0], table.Shape[1]}}
	for b := range label.Shape[0] {
		row := int(math.Float32frombits(binary.LittleEndian.Uint32(label.data[4*b:])))
		emb.data = append(emb.data, table.data[row*size:(row+1)*size]...)
	}
	f.tensors["act.label_emb"] = emb
	delete(f.tensors, "y")
	rows := check(t, f.write(t, t.TempDir(), "a.safetensors"), "cpu")
	if got := tensors(rows); !slices.Equal(got, []string{"act.label_emb"}) {
		t.Errorf("rows for %v", got)
	}
}

// A header may be of a length that begins as JSON does.
func TestHeaderLength(t *testing.T) {
	b, err := os.ReadFile("testdata/unet-cond.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b)
	const length = 3<<16 | '{'<<8 | ' '
	if n > length {
		t.Fatal("the fixture's header is too long")
	}
	padded := binary.LittleEndian.AppendUint64(nil, length)
	padded = append(append(padded, b[8:8+n]...), bytes.Repeat([]byte(" "), int(length-n))...)
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := os.WriteFile(path, append(padded, b[8+n:]...), 0o666); err != nil {
		t.Fatal(err)
	}
	check(t, path, "cpu")
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
	var empty bytes.Buffer
	if err := weights.Write(&empty, weights.Header{}, f.params("none."), weights.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, empty.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	if rows, err := File(ctx, path, Options{}); err == nil {
		t.Errorf("a pack without tensors: %v", rows)
	}
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
