package bridge

import (
	"math"
	"testing"
)

// Known answers of the Random123 library's kat_vectors for philox4x32-10.
func TestPhilox(t *testing.T) {
	const f = 0xffffffff
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{f, f, f, f}, [2]uint32{f, f}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox4x32(c.counter, c.key); got != c.want {
			t.Errorf("%x %x: %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

func TestNoiseIsNormalAndDependsOnCoordinatesAlone(t *testing.T) {
	n := NewNoise(42)
	row := make([]float32, 1024)
	var sum, sum2, sum4, lag float64
	for y := range 256 {
		n.Fill(row, DrawStep, 3, 1, y, 0)
		for i, v := range row {
			x := float64(v)
			sum, sum2, sum4 = sum+x, sum2+x*x, sum4+x*x*x*x
			if i > 0 {
				lag += x * float64(row[i-1])
			}
		}
		part := make([]float32, 37)
		n.Fill(part, DrawStep, 3, 1, y, 101)
		for i, v := range part {
			if v != row[101+i] {
				t.Fatalf("column %d of row %d depends on the window", 101+i, y)
			}
		}
	}
	count := 1024.0 * 256
	for name, v := range map[string]float64{"mean": sum / count, "variance-1": sum2/count - 1, "kurtosis-3": (sum4/count - 3) / 10, "lag 1": lag / count} {
		if math.Abs(v) > 0.01 {
			t.Errorf("%s %v", name, v)
		}
	}
	a, b := make([]float32, 8), make([]float32, 8)
	n.Fill(a, DrawStep, 0, 0, 0, 0)
	for name, f := range map[string]func(){
		"seed":      func() { NewNoise(43).Fill(b, DrawStep, 0, 0, 0, 0) },
		"high seed": func() { NewNoise(42|1<<40).Fill(b, DrawStep, 0, 0, 0, 0) },
		"draw":      func() { n.Fill(b, DrawMask, 0, 0, 0, 0) },
		"step":      func() { n.Fill(b, DrawStep, 1, 0, 0, 0) },
		"channel":   func() { n.Fill(b, DrawStep, 0, 1, 0, 0) },
		"row":       func() { n.Fill(b, DrawStep, 0, 0, 1, 0) },
	} {
		if f(); a[0] == b[0] && a[1] == b[1] {
			t.Errorf("the %s changes nothing", name)
		}
	}
}

func TestRecordedCountsItsDraws(t *testing.T) {
	w := walk(t, schedule(t, 1, false), WalkOptions{NFE: 4})
	draws := make([]*Image, 8)
	for i := range draws {
		draws[i] = NewImage(1, 1, 1)
		draws[i].Pix[0] = float32(i + 1)
	}
	r, err := NewRecorded(draws, w, true, true)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, 1)
	for i, c := range []struct {
		d    Draw
		step int
	}{{DrawHole, 0}, {DrawStep, 0}, {DrawMask, 0}, {DrawStep, 1}, {DrawMask, 1}, {DrawStep, 2}, {DrawMask, 2}, {DrawMask, 3}} {
		if r.Fill(dst, c.d, c.step, 0, 0, 0); dst[0] != float32(i+1) {
			t.Errorf("draw %v of step %d is number %v, want %d", c.d, c.step, dst[0], i+1)
		}
	}
	if _, err := NewRecorded(draws[:5], w, true, true); err == nil {
		t.Error("too few draws: no error")
	}
}
