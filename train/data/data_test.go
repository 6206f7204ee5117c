package data

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

// paint writes a PNG whose pixels tell where they are, and of which picture.
func paint(t *testing.T, path string, w, h, k int) {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x), uint8(y), uint8(k), 255})
		}
	}
	write(t, path, func(f *os.File) error { return png.Encode(f, m) })
}

func write(t *testing.T, path string, f func(*os.File) error) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := f(out); err != nil {
		t.Fatal(err)
	}
}

func level(v float32) int { return int(math.Round((float64(v) + 1) * 127.5)) }

func newSet(t *testing.T, dir string, o Options) *Set {
	t.Helper()
	items, err := Photos(dir, func(name string, err error) { t.Error(name, err) })
	if err != nil {
		t.Fatal(err)
	}
	o.Channels, o.Bad = 3, func(name string, err error) { t.Error(name, err) }
	return NewSet(items, o)
}

func mixture(t *testing.T, names ...string) *Mixture {
	t.Helper()
	var list []Degradation
	for _, n := range names {
		d, err := ParseDegradation(n)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	m, err := NewMixture(list)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCropsAreOfTheirPictures: a crop is a part of one picture, mirrored half of
// the time, everywhere as often, and larger pictures come more often.
func TestCropsAreOfTheirPictures(t *testing.T) {
	dir := t.TempDir()
	paint(t, filepath.Join(dir, "a.png"), 20, 20, 1)
	paint(t, filepath.Join(dir, "b.png"), 40, 80, 2) // eight times as large
	paint(t, filepath.Join(dir, "sub", "small.png"), 9, 30, 3)
	s := newSet(t, dir, Options{Area: 0.5, Flip: true, Cache: 1 << 20, Mixture: mixture(t, "decolor")})
	if s.Fits(10) != 2 || s.Fits(9) != 3 || s.Fits(41) != 0 {
		t.Errorf("room for %d, %d, %d", s.Fits(10), s.Fits(9), s.Fits(41))
	}
	mirrored, second, left := 0, 0, 0
	const n = 1000
	for i := range uint64(n) {
		q, err := s.Draw(rand.New(bridge.NewStream(1, i)), bridge.NewNoise(i), 10)
		if err != nil {
			t.Fatal(err)
		}
		x, y, k := level(q.X0.Pix[0]), level(q.X0.Plane(1)[0]), level(q.X0.Plane(2)[0])
		step := level(q.X0.Pix[1]) - x
		if step == -1 {
			mirrored++
			x -= 9
		}
		if k == 2 {
			second++
			if x < 15 {
				left++
			}
		}
		for p := range q.X0.Pix[:100] {
			col := x + p%10
			if step == -1 {
				col = x + 9 - p%10
			}
			if level(q.X0.Pix[p]) != col || level(q.X0.Plane(1)[p]) != y+p/10 || level(q.X0.Plane(2)[p]) != k {
				t.Fatalf("draw %d is no part of picture %d at %d,%d", i, k, x, y)
			}
		}
		if q.Task != "decolor" || q.Mask != nil || q.X1.Pix[0] != q.X1.Plane(1)[0] {
			t.Fatal("it is not degraded")
		}
	}
	// √8 to 1: 739 of 1000, with a deviation of 14; 15 of 31 places are left.
	if second < 680 || second > 800 || mirrored < 430 || mirrored > 570 || left < second*38/100 || left > second*58/100 {
		t.Errorf("%d of the larger, %d mirrored, %d on its left", second, mirrored, left)
	}
	if _, err := s.Draw(rand.New(bridge.NewStream(1, 0)), bridge.NewNoise(0), 50); err == nil {
		t.Error("a crop that no picture has room for")
	}
}

// TestTurnedPhotograph: a photograph whose header says 30×12 and whose EXIF turns
// it is cut as what it is.
func TestTurnedPhotograph(t *testing.T) {
	dir := t.TempDir()
	m := image.NewGray(image.Rect(0, 0, 30, 12))
	for i := range m.Pix {
		m.Pix[i] = uint8(8 * (i % 30))
	}
	var b strings.Builder
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	turned := b.String()[:2] + "\xff\xe1" + string([]byte{0, byte(len(exif) + 2)}) + exif + b.String()[2:]
	write(t, filepath.Join(dir, "a.jpg"), func(f *os.File) error { _, err := f.WriteString(turned); return err })
	s := newSet(t, dir, Options{Mixture: mixture(t, "jpeg-90")})
	low, high := 255, 0
	for i := range uint64(200) {
		q, err := s.Draw(rand.New(bridge.NewStream(2, i)), bridge.NewNoise(i), 12)
		if err != nil {
			t.Fatal(err)
		}
		low, high = min(low, level(q.X0.Pix[0])), max(high, level(q.X0.Pix[143]))
		if d := level(q.X0.Pix[12]) - level(q.X0.Pix[0]); d < 4 || d > 12 {
			t.Fatalf("rows rise by %d: it was not turned", d)
		}
	}
	if low > 4 || high < 228 {
		t.Errorf("crops reach from %d to %d", low, high)
	}
	pool, err := Parse("sr4x-pool")
	if err != nil {
		t.Fatal(err)
	}
	q, err := s.At(s.items[0], Centre(16), pool, 1)
	if err != nil || q.X0.W != 12 || q.X0.H != 16 {
		t.Errorf("the middle: %v, %v", q, err)
	}
}

func TestRangesAndWeights(t *testing.T) {
	m := mixture(t, "jpeg-5..40", "jpeg-file-30:2", "blur-gauss-0.8..3.zero", "sr4x-pool+noise-0.05..0.1")
	seen := map[string]int{}
	lo, hi, sigma := 100, 0, [2]float64{10, 0}
	const n = 4000
	for i := range uint64(n) {
		op, err := m.Draw(rand.New(bridge.NewStream(3, i)))
		if err != nil {
			t.Fatal(err)
		}
		name := op.Name()
		var q int
		var s float64
		switch {
		case strings.HasPrefix(name, "jpeg-file"):
			seen["file"]++
		case strings.HasPrefix(name, "jpeg"):
			seen["jpeg"]++
			fmt.Sscanf(name, "jpeg-%d", &q)
			lo, hi = min(lo, q), max(hi, q)
		case strings.HasPrefix(name, "blur"):
			seen["blur"]++
			if !strings.HasSuffix(name, ".zero") {
				t.Fatal(name)
			}
			fmt.Sscanf(name, "blur-gauss-%g", &s)
			sigma = [2]float64{min(sigma[0], s), max(sigma[1], s)}
		default:
			seen[name[:9]]++
		}
	}
	if lo != 5 || hi != 40 || sigma != [2]float64{0.8, 3} {
		t.Errorf("qualities %d to %d, σ %v", lo, hi, sigma)
	}
	for name, want := range map[string]int{"jpeg": n / 5, "file": 2 * n / 5, "blur": n / 5, "sr4x-pool": n / 5} {
		if d := seen[name] - want; d < -130 || d > 130 {
			t.Errorf("%s came %d times of %d", name, seen[name], n)
		}
	}
	for name, want := range map[string]string{"jpeg-5..40": "jpeg-14", "blur-gauss-0.8..3": "blur-gauss-1.55", "sr4x-pool+noise-0..0.2": "sr4x-pool+noise-0.1", "decolor": "decolor"} {
		if got := Middle(name); got != want {
			t.Errorf("the middle of %s is %s, want %s", name, got, want)
		}
	}
	for _, bad := range []string{"", "jpeg-40..5", "jpeg-0..5", "jpeg-5..400", "jpeg-5:0", "jpeg-5:x", "jpeg-file-0", "jpeg-file-x", "blur-gauss-0..3", "nothing"} {
		if _, err := ParseDegradation(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	for _, s := range []string{"jpeg-5..40", "sr4x-pool:0.5"} {
		if d, err := ParseDegradation(s); err != nil || d.String() != s {
			t.Errorf("%q became %q, %v", s, d, err)
		}
	}
}

// TestJPEGFile holds the file's JPEG against the tensor's: alike, not the same.
func TestJPEGFile(t *testing.T) {
	x := bridge.NewImage(3, 33, 40)
	for i := range x.Pix {
		x.Pix[i] = float32(math.Sin(float64(i%40)/4) * math.Cos(float64(i/40)/5))
	}
	before := slices.Clone(x.Pix)
	distance := func(a, b *bridge.Image) (sum float64) {
		for i := range a.Pix {
			d := float64(a.Pix[i]) - float64(b.Pix[i])
			sum += d * d / float64(len(a.Pix))
		}
		return sum
	}
	var made []*bridge.Image
	for _, name := range []string{"jpeg-file-10", "jpeg-10", "jpeg-file-95"} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		y, err := op.Apply(x, 0)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, y)
	}
	if !slices.Equal(before, x.Pix) {
		t.Error("x was changed")
	}
	if apart, lost, fine := distance(made[0], made[1]), distance(made[0], x), distance(made[2], x); apart == 0 || apart > lost || fine > lost/5 {
		t.Errorf("apart %g, quality 10 loses %g, 95 %g", apart, lost, fine)
	}
}

func TestCacheIsBounded(t *testing.T) {
	var loads atomic.Int32
	c := newCache(100, func(path string) (*pixels, error) {
		loads.Add(1)
		if path == "bad" {
			return nil, os.ErrInvalid
		}
		return &pixels{bytes: make([]uint8, 40)}, nil
	})
	for _, path := range []string{"a", "b", "a", "c", "a", "b"} { // c pushes b out
		if _, err := c.get(path); err != nil {
			t.Fatal(err)
		}
	}
	if loads.Load() != 4 || c.held != 80 {
		t.Errorf("%d loads, %d bytes", loads.Load(), c.held)
	}
	if _, err := c.get("bad"); err == nil {
		t.Error("no error")
	}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() { _, _ = c.get(fmt.Sprint(i % 7)) })
	}
	wait.Wait()
	if c.held > 100 || len(c.byPath) != c.order.Len() {
		t.Errorf("%d bytes in %d", c.held, c.order.Len())
	}
}

func TestSplit(t *testing.T) {
	items := make([]Item, 40)
	for i := range items {
		items[i].Name = fmt.Sprint(i)
	}
	rest, held := Split(items, 0.1, 16, 1)
	if len(rest) != 36 || len(held) != 4 || slices.ContainsFunc(rest, func(it Item) bool { return slices.Contains(held, it) }) {
		t.Errorf("%d and %d", len(rest), len(held))
	}
	_, again := Split(items, 0.1, 16, 1)
	_, other := Split(items, 0.1, 16, 2)
	if !slices.Equal(held, again) || slices.Equal(held, other) {
		t.Error("it does not follow from the seed")
	}
	for _, c := range []struct {
		n     int
		share float64
		want  int
	}{{1, 0.5, 0}, {2, 0.01, 1}, {10, 0, 0}, {40, 0.9, 16}} {
		if _, held := Split(items[:c.n], c.share, 16, 1); len(held) != c.want {
			t.Errorf("%g of %d: %d", c.share, c.n, len(held))
		}
	}
	if kept := Exclude(items, []string{"1*", "2"}); len(kept) != 28 {
		t.Errorf("%d are kept", len(kept))
	}
}

// TestSixteenBits: pictures of sixteen bits keep them.
func TestSixteenBits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	m := image.NewGray16(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		m.SetGray16(i%16, i/16, color.Gray16{Y: uint16(256*i + i/3)})
	}
	write(t, path, func(f *os.File) error { return png.Encode(f, m) })
	p, err := load(path, 3)
	if err != nil {
		t.Fatal(err)
	}
	x, err := p.crop(3, 0, 0, 16, 16, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 256 {
		if want := float64(256*i+i/3)/32767.5 - 1; math.Abs(float64(x.Plane(2)[i])-want) > 1e-7 {
			t.Fatalf("pixel %d: %v, want %v", i, x.Plane(2)[i], want)
		}
	}
}
