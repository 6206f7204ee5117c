package metric

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

// levels256 makes a picture of the 256 levels of 8 bits.
func levels256(h, w int, level func(c, y, x int) int) *bridge.Image {
	p := bridge.NewImage(3, h, w)
	for i := range p.Pix {
		p.Pix[i] = float32(level(i/(h*w), i/w%h, i%w))/127.5 - 1
	}
	return p
}

// pattern is testdata/golden.py's picture.
func pattern(c, y, x int) int {
	return ((x*x/7+3*y+x*y/11+40*c)%256 + (x/16+y/24+c)%3*60) / 2 % 256
}

func noisy(strength int) func(c, y, x int) int {
	return func(c, y, x int) int {
		d := (x*7919+y*104729+c*1299709+x*y*31)%(2*strength+1) - strength
		return min(255, max(0, pattern(c, y, x)+d))
	}
}

func boxed(h, w int) func(c, y, x int) int {
	return func(c, y, x int) int {
		sum := 0
		for i := -1; i <= 1; i++ {
			for j := -1; j <= 1; j++ {
				sum += pattern(c, min(h-1, max(0, y+i)), min(w-1, max(0, x+j)))
			}
		}
		return sum / 9
	}
}

// TestGolden holds every metric against testdata/golden.py's numbers.
func TestGolden(t *testing.T) {
	f, err := os.Open("testdata/golden.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = '\t'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, row := range rows[1:] {
		h, _ := strconv.Atoi(row[0])
		w, _ := strconv.Atoi(row[1])
		m, err := Parse(row[4])
		if err != nil {
			t.Fatal(err)
		}
		m.Border, _ = strconv.Atoi(row[2])
		want, err := strconv.ParseFloat(row[5], 64)
		if err != nil {
			t.Fatal(err)
		}
		distorted := noisy(20)
		if row[3] == "box" {
			distorted = boxed(h, w)
		}
		got, err := m.Compare(levels256(h, w, distorted), levels256(h, w, pattern))
		if err != nil || math.Abs(got-want) > 1e-5 {
			t.Errorf("%v: %v, %v", row, got, err)
		}
		seen[m.Name]++
	}
	for _, m := range All {
		if seen[m.Name] < 2 {
			t.Errorf("%s: %d numbers", m.Name, seen[m.Name])
		}
	}
}

func TestEqualPicturesAndSmallOnes(t *testing.T) {
	x := levels256(161, 161, pattern)
	small := bridge.NewImage(3, 8, 160)
	for _, m := range All {
		v, err := m.Compare(x, x)
		want := 1.0
		if m.Lower {
			want = 0
		}
		if m.Name == "psnr" || m.Name == "psnr-y" {
			want = math.Inf(1)
		} else if _, err := m.Compare(small, small); !errors.Is(err, ErrSmall) {
			t.Errorf("%s of 8×160: %v", m.Name, err)
		}
		if err != nil || v != want && !(math.Abs(v-want) < 1e-12) {
			t.Errorf("%s of a picture with itself: %v, %v", m.Name, v, err)
		}
		if _, err := m.Compare(x, small); err == nil || errors.Is(err, ErrSmall) {
			t.Errorf("%s of different sizes: %v", m.Name, err)
		}
		m.Border = 81
		if _, err := m.Compare(x, x); err == nil || errors.Is(err, ErrSmall) {
			t.Errorf("%s, all of it border: %v", m.Name, err)
		}
	}
	if _, err := Parse("psnr-z"); err == nil {
		t.Error("an unknown metric: no error")
	}
}

func TestTruncate(t *testing.T) {
	x := &bridge.Image{C: 1, H: 1, W: 6, Pix: []float32{-2, -1, -0.999, 0, 0.9999, 7}}
	want := []int{0, 0, 0, 127, 254, 255}
	for i, v := range Truncate(x).Pix {
		if got := (float64(v) + 1) * 127.5; math.Abs(got-float64(want[i])) > 1e-4 {
			t.Errorf("%v: level %v, want %d", x.Pix[i], got, want[i])
		}
	}
}

func BenchmarkPerceptual(b *testing.B) {
	x, y := levels256(256, 256, pattern), levels256(256, 256, noisy(20))
	for b.Loop() {
		if _, err := All[6].Compare(y, x); err != nil {
			b.Fatal(err)
		}
	}
}
