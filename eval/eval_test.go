package eval

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/metric"
	"github.com/i2sb-go/i2sb/runtime"
)

func TestPSNR(t *testing.T) {
	a, b := bridge.NewImage(1, 2, 2), bridge.NewImage(1, 2, 2)
	if p, err := PSNR(a, b); err != nil || !math.IsInf(p, 1) {
		t.Errorf("equal pictures: %v %v", p, err)
	}
	for i := range b.Pix {
		b.Pix[i] = 0.2 // an error of a tenth of the range
	}
	if p, _ := PSNR(a, b); math.Abs(p-20) > 1e-6 {
		t.Errorf("a tenth of the range: %v dB, want 20", p)
	}
	for i := range b.Pix {
		a.Pix[i], b.Pix[i] = 1, 5 // what is beyond the range is clamped
	}
	if p, _ := PSNR(a, b); !math.IsInf(p, 1) {
		t.Errorf("clamped: %v", p)
	}
	if _, err := PSNR(a, bridge.NewImage(1, 2, 3)); err == nil {
		t.Error("different sizes: no error")
	}
}

func TestReadCrops(t *testing.T) {
	crops, err := ReadCrops(strings.NewReader("file\tx\ty\twidth\theight\tset\na.png\t1\t2\t3\t4\tmain\n"))
	if err != nil || len(crops) != 1 || crops[0] != (Crop{"a.png", 1, 2, 3, 4, "main"}) {
		t.Errorf("%+v %v", crops, err)
	}
	for _, bad := range []string{"a\t1\t2\t3\t4", "a\tx\t2\t3\t4\tmain", "a\t-1\t2\t3\t4\tmain"} {
		if _, err := ReadCrops(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	ramp(t, filepath.Join(dir, "a.png"), 10)
	model, err := runtime.Open(context.Background(), runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	seen := 0
	run := Run{Photos: dir, Crops: []Crop{{"a.png", 4, 4, 16, 16, "main"}, {"a.png", 0, 0, 16, 16, "small"}}, Tasks: []string{"sr4x-pool", "inpaint-center"},
		Methods: append(append([]Method{Degraded()}, Classical()...), Network(model, "", 1), Network(model, "", 2)),
		Each: func(r Record, p *Pictures) error {
			seen++
			if got, _ := PSNR(p.Restored, p.X0); got != r.Values[0] {
				t.Errorf("%v: %v, the record says %v", r.Key, got, r.Values[0])
			}
			return nil
		}}
	for _, name := range []string{"psnr", "ms-ssim"} {
		m, err := metric.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		run.Metrics = append(run.Metrics, m)
	}
	run.Tasks[1] = "jpeg-5"
	records, err := run.Measure(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := run.Table(records)
	if err != nil {
		t.Fatal(err)
	}
	// Three that suit all, two enlargements, one deblocking; in two sets.
	if len(records) != 2*(5+4) || seen != len(records) || len(rows) != len(records) {
		t.Fatalf("%d records, %d seen, %d rows", len(records), seen, len(rows))
	}
	if r := rows[0]; r.Set != "main" || r.Task != "sr4x-pool" || r.Method != "degraded" || r.Means[0].Value != records[0].Values[0] || r.Means[1].N != 0 {
		t.Errorf("first row: %+v", r)
	}
	if r := rows[len(rows)-1]; r.Set != "small" || r.Task != "jpeg-5" || r.Steps != 2 {
		t.Errorf("last row: %+v", r)
	}
	run.Crops[0].X = 20
	if _, err := run.Measure(context.Background()); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Errorf("a crop outside of the photograph: %v", err)
	}
}

func TestMean(t *testing.T) {
	m := NewMean([]float64{1, 2, math.NaN(), 3, 4, 5, 6, 7, 8, 9, 10})
	// The interval of the mean by the normal law is 5.5 ± 1.78.
	if m.N != 10 || m.Value != 5.5 || math.Abs(m.Low-3.72) > 0.25 || math.Abs(m.High-7.28) > 0.25 {
		t.Errorf("%+v", m)
	}
	if again := NewMean([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}); again != m {
		t.Errorf("%+v, and again %+v", m, again)
	}
	if m := NewMean([]float64{1, 2}); !math.IsNaN(m.Low) {
		t.Errorf("an interval of two values: %+v", m)
	}
	if m := NewMean([]float64{math.Inf(1), 2, 3}); !math.IsInf(m.Value, 1) || !math.IsNaN(m.High) {
		t.Errorf("an infinite mean: %+v", m)
	}
}

func writePNG(t *testing.T, path string, m image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), png.Encode(&b, m), os.WriteFile(path, b.Bytes(), 0o666)); err != nil {
		t.Fatal(err)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	crops := []Crop{{"x/a.jpg", 2, 0, 4, 4, "main"}, {"b.jpg", 0, 0, 4, 4, "main"}, {"b.jpg", 4, 4, 4, 4, "main"}}
	names := Names(crops)
	if names[crops[0]] != "a" || names[crops[2]] != "b-4-4" {
		t.Errorf("names: %v", names)
	}
	same := []Crop{{"x/a.jpg", 0, 0, 4, 4, "main"}, {"y/a.jpg", 0, 0, 4, 4, "main"}, {"y/a.jpg", 0, 0, 8, 4, "main"}, {"y/a.jpg", 4, 0, 4, 4, "main"}, {"y/a.jpg", 4, 0, 4, 4, "other"}}
	got := Names(same)
	for i, want := range []string{"x-a-0-0-4x4", "y-a-0-0-4x4", "y-a-0-0-8x4", "a-4-0", "a-4-0"} {
		if got[same[i]] != want {
			t.Errorf("%v is called %s, want %s", same[i], got[same[i]], want)
		}
	}
	write := func(name string, w, h int) {
		m := image.NewGray(image.Rect(0, 0, w, h))
		m.SetGray(2, 0, color.Gray{255})
		writePNG(t, filepath.Join(dir, name), m)
	}
	write("jpeg-5/a.png", 8, 8) // the whole photograph
	write("b-0-0.png", 4, 4)
	folder, err := Folder(dir, names, []string{"jpeg-5"})
	if err != nil {
		t.Fatal(err)
	}
	for i, bright := range []int{0, 2} {
		y, err := folder.Restore(context.Background(), Sample{Crop: crops[i], Task: "jpeg-5"})
		if err != nil || y.C != 3 || y.W != 4 || y.Pix[bright] != 1 {
			t.Errorf("%s: %v %v", names[crops[i]], y, err)
		}
	}
	if _, err := folder.Restore(context.Background(), Sample{Crop: crops[2], Task: "jpeg-5"}); err == nil || !strings.Contains(err.Error(), "b-4-4.png") {
		t.Errorf("a missing picture: %v", err)
	}
	if _, err := Folder(filepath.Join(dir, "b-0-0.png"), names, nil); err == nil {
		t.Error("a file as a folder: no error")
	}
}

func TestReadLabels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "labels.txt")
	crops := []Crop{{File: "a.jpg"}, {File: "b c.jpg"}}
	for text, ok := range map[string]bool{"/data/x/a.jpg 7\nb c.jpg\t999\n": true, "a.jpg 7\n": false, "a.jpg 7\nb c.jpg 1000": false, "a.jpg": false} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		labels, err := ReadLabels(path, crops)
		if ok != (err == nil) || ok && (labels["a.jpg"] != 7 || labels["b c.jpg"] != 999) {
			t.Errorf("%q: %v %v", text, labels, err)
		}
	}
}
