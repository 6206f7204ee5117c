package eval

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
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

func TestPSNRsOfAFolder(t *testing.T) {
	dir := t.TempDir()
	m := image.NewGray(image.Rect(0, 0, 24, 24))
	for i := range m.Pix {
		m.SetGray(i%24, i/24, color.Gray{Y: uint8(10 * (i % 24))})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.png"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	model, err := runtime.Open(context.Background(), runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	seen := 0
	run := Run{Photos: dir, Crops: []Crop{{"a.png", 4, 4, 16, 16, "main"}, {"a.png", 0, 0, 16, 16, "small"}}, Tasks: []string{"sr4x-pool", "jpeg-5"},
		Samplers: []string{""}, Steps: []int{1, 2}, Each: func(c Crop, r Row, p Pictures) error {
			seen++
			if got, _ := PSNR(p.Restored, p.X0); got != r.After {
				t.Errorf("%v: %v, the row says %v", c, got, r.After)
			}
			return nil
		}}
	rows, err := PSNRs(context.Background(), model, run)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 8 || seen != 8 || rows[0].Set != "main" || rows[0].Task != "sr4x-pool" || rows[1].Steps != 2 || rows[7].Task != "jpeg-5" {
		t.Errorf("%d crops, rows %+v", seen, rows)
	}
	run.Crops[0].X = 20
	if _, err := PSNRs(context.Background(), model, run); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Errorf("a crop outside of the photograph: %v", err)
	}
}
