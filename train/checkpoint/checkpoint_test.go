package checkpoint

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/weights"
)

func source(t *testing.T, first float32) weights.Source {
	t.Helper()
	m, err := weights.NewMemory([]weights.Info{{Name: "a.weight", Shape: []int{2, 3}}, {Name: `od"d`, Shape: []int{1}}},
		[][]float32{{first, 1, float32(math.Pi), -0, 1e-42, float32(math.Inf(1))}, {7}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t *testing.T, steps int) func(io.Writer) error {
	return func(w io.Writer) error {
		r := recipe.Default()
		r.Data.Photos = "album"
		s := State{Steps: steps, Position: 1<<63 + 5, Images: 12, Seconds: 1.5, Best: -2, BestStep: 3, Changes: []string{"x"}}
		return Write(w, s, r, weights.Header{Name: "n", Metrics: map[string]float64{"p": 1}}, Sets{source(t, 1), source(t, 2), source(t, 3), source(t, 4)})
	}
}

// TestRoundTrip: what is written is read, to the bit.
func TestRoundTrip(t *testing.T) {
	d := Folder(t.TempDir())
	if err := d.Save(9, 1, true, write(t, 9)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{d.Last(), d.Best(), d.numbered(9)} {
		c, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if c.State.Steps != 9 || c.State.Position != 1<<63+5 || c.State.Best != -2 || c.Header.Name != "n" || c.Recipe.Data.Photos != "album" || !reflect.DeepEqual(c.State.Changes, []string{"x"}) {
			t.Errorf("%+v %+v", c.State, c.Header)
		}
		for i, s := range []weights.Source{c.Average, c.Weights, c.Moment1, c.Moment2} {
			want := source(t, float32(i+1))
			if len(s.Tensors()) != 2 || s.Tensors()[0].Name != "a.weight" || s.Tensors()[1].Name != `od"d` {
				t.Fatalf("set %d has %v", i, s.Tensors())
			}
			for _, info := range want.Tensors() {
				a, b := make([]float32, info.Len()), make([]float32, info.Len())
				if err := errors.Join(s.ReadF32(info.Name, a), want.ReadF32(info.Name, b)); err != nil {
					t.Fatal(err)
				}
				for k := range a {
					if math.Float32bits(a[k]) != math.Float32bits(b[k]) {
						t.Errorf("set %d, %s[%d]: %v, want %v", i, info.Name, k, a[k], b[k])
					}
				}
			}
		}
	}
}

// TestSaveFails: a checkpoint that cannot be written leaves what was there.
func TestSaveFails(t *testing.T) {
	d := Folder(t.TempDir())
	if err := d.Save(1, 2, true, write(t, 1)); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space")
	err := d.Save(2, 2, true, func(w io.Writer) error {
		if err := write(t, 2)(io.Discard); err != nil {
			return err
		}
		_, _ = w.Write(make([]byte, 3<<20))
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	for _, path := range []string{d.Last(), d.Best()} {
		c, err := Open(path)
		if err != nil || c.State.Steps != 1 {
			t.Fatalf("%s: %v, %v", path, c, err)
		}
		c.Close()
	}
	entries, _ := os.ReadDir(string(d))
	if len(entries) != 3 {
		t.Errorf("left %v", entries)
	}
}

func TestKeepAndClean(t *testing.T) {
	d := Folder(t.TempDir())
	for step := range 6 {
		if err := d.Save(step, 2, step == 2, write(t, step)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".i2sb-abc.tmp", "last.safetensors.new"} {
		if err := os.WriteFile(filepath.Join(string(d), name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	d.Clean()
	var names []string
	entries, _ := os.ReadDir(string(d))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"best.safetensors", "last.safetensors", "step-00000004.safetensors", "step-00000005.safetensors"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	best, err := Open(d.Best())
	if err != nil || best.State.Steps != 2 {
		t.Fatalf("best is of %v, %v", best, err)
	}
	best.Close()
}

// TestDamaged: files that are cut off or changed are errors.
func TestDamaged(t *testing.T) {
	var b bytes.Buffer
	if err := write(t, 1)(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	try := func(content []byte) error {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := Open(path)
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := try(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 7, 100, b.Len() - 1} {
		if err := try(b.Bytes()[:n]); err == nil {
			t.Errorf("%d bytes: no error", n)
		}
	}
	for _, change := range [][2]string{{"i2sb training 1", "i2sb training 9"}, {`\"steps\":1`, `\"steps\":x`}, {"seed = 1", "seed = x"}} {
		changed := bytes.Replace(b.Bytes(), []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, b.Bytes()) {
			t.Fatalf("%q is not there", change[0])
		}
		err := try(changed)
		if err == nil {
			t.Errorf("%q: no error", change[1])
		}
		if other := errors.Is(err, ErrOther); other != (change[1] == "i2sb training 9") {
			t.Errorf("%q: %v", change[1], err)
		}
	}
}
