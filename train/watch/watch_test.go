package watch

import (
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	columns := []string{"step", "task", "psnr"}
	table, err := OpenTable(path, columns, 0)
	if err != nil {
		t.Fatal(err)
	}
	for step := 10; step <= 40; step += 10 {
		for _, task := range []string{"a,b", "c"} {
			if err := table.Add(step, task, float64(step)/3); err != nil {
				t.Fatal(err)
			}
		}
	}
	table.Close()
	// A run that was killed while writing step 40, and had been saved at 20.
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-5], 0o666); err != nil {
		t.Fatal(err)
	}
	if table, err = OpenTable(path, columns, 20); err != nil {
		t.Fatal(err)
	}
	if err := table.Add(30, "c", 9.5); err != nil {
		t.Fatal(err)
	}
	table.Close()
	b, _ = os.ReadFile(path)
	if want := "step,task,psnr\n10,\"a,b\",3.33333\n10,c,3.33333\n20,\"a,b\",6.66667\n20,c,6.66667\n30,c,9.5\n"; string(b) != want {
		t.Errorf("%s", b)
	}
	x, y := table.Series(2, func(row []string) bool { return row[1] == "c" })
	if !slices.Equal(x, []float64{10, 20, 30}) || !slices.Equal(y, []float64{3.33333, 6.66667, 9.5}) {
		t.Errorf("%v %v", x, y)
	}
	if _, err := OpenTable(filepath.Join(path, "x"), columns, 0); err == nil {
		t.Error("a table in a file")
	}
}

// TestPlot: curves of every shape become a picture: one point, equal values,
// none, and what no axis has room for.
func TestPlot(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string][]Curve{
		"many": {{"a", []float64{1, 2, 3}, []float64{3, 0.1, 0.5}}, {"b", []float64{1, 3}, []float64{1e-3, 2}}},
		"one":  {{"a", []float64{5}, []float64{0.3}}},
		"flat": {{"", []float64{1, 2}, []float64{2, 2}}},
		"odd":  {{"a", []float64{1, 2, 3}, []float64{math.NaN(), math.Inf(1), 1}}, {"zero", []float64{1, 2}, []float64{0, -1}}},
	} {
		for _, log := range []bool{false, true} {
			path := filepath.Join(dir, name+".png")
			if err := Plot(path, name, "dB", log, c); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if m, err := png.Decode(f); err != nil || m.Bounds().Dx() < 400 {
				t.Errorf("%s: %v", name, err)
			}
			f.Close()
		}
	}
	if err := Plot(filepath.Join(dir, "none.png"), "", "", true, []Curve{{}}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none.png")); err == nil {
		t.Error("a plot of nothing")
	}
}

func TestGrid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "g.png")
	full := func(w, h int, v float32) *bridge.Image {
		x := bridge.NewImage(3, h, w)
		for i := range x.Pix {
			x.Pix[i] = v
		}
		return x
	}
	if err := WriteGrid(path, [][]*bridge.Image{{full(10, 6, -1), full(10, 6, 0)}, {full(5, 8, -1)}}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if b := m.Bounds(); b.Dx() != 3*gap+20 || b.Dy() != 3*gap+14 {
		t.Errorf("%v", b)
	}
	var got strings.Builder
	for _, p := range [][2]int{{0, 0}, {gap, gap}, {gap + 9, gap + 5}, {gap + 10, gap}, {2*gap + 10, gap}, {gap, 2*gap + 6}, {gap + 5, 2*gap + 6}} {
		r, _, _, _ := m.At(p[0], p[1]).RGBA()
		got.WriteString([]string{"#", "-", "."}[min(2, r/0x5000)])
	}
	if got.String() != ".##.-#." {
		t.Errorf("%s", got.String())
	}
}

func TestSmooth(t *testing.T) {
	y := Smooth([]float64{0, 3, 0, 3, 6})
	if want := []float64{1.5, 1, 2, 3, 4.5}; !slices.Equal(y, want) {
		t.Errorf("%v, want %v", y, want)
	}
}

func TestGain(t *testing.T) {
	rows := []Row{{"a", 1, 20, 22}, {"a", 4, 20, 10}, {"b", 1, 30, 31}, {"b", 4, 30, 20}}
	if g := Gain(rows); math.Abs(g-1.5) > 1e-12 {
		t.Errorf("gain %g", g)
	}
}
