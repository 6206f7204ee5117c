package bridge

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestScheduleMatchesTheReference compares every table with the released
// code's own, run in PyTorch 1.13 (testdata/schedule.safetensors).
func TestScheduleMatchesTheReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/schedule.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	size := binary.LittleEndian.Uint64(raw)
	header := map[string]struct {
		Dtype   string `json:"dtype"`
		Offsets [2]int `json:"data_offsets"`
	}{}
	if err := json.Unmarshal(raw[8:8+size], &header); err != nil {
		t.Fatal(err)
	}
	tables := 0
	for name, h := range header {
		if name == "__metadata__" {
			continue
		}
		data := raw[8+int(size)+h.Offsets[0] : 8+int(size)+h.Offsets[1]]
		parts := strings.Split(name, ".")
		var n, nfe int
		fmt.Sscan(parts[0], &n)
		tables++
		if parts[1] == "steps" {
			fmt.Sscanf(parts[2], "nfe%d", &nfe)
			got, err := Steps(n, nfe)
			var want []int
			for i := 0; i < len(data); i += 8 {
				want = append(want, int(binary.LittleEndian.Uint64(data[i:])))
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v (%v)", name, got, want, err)
			}
			continue
		}
		beta := 0.3
		if len(parts) == 4 {
			fmt.Sscan(parts[1]+"."+parts[2], &beta)
		}
		s, err := NewSchedule(Config{Interval: n, BetaMax: beta, T0: 1e-4, T: 1})
		if err != nil {
			t.Fatal(err)
		}
		table := map[string][]float64{"betas": s.Betas, "std_fwd": s.StdFwd, "std_bwd": s.StdBwd, "std_sb": s.StdSB,
			"mu_x0": s.MuX0, "mu_x1": s.MuX1, "noise_levels": s.NoiseLevels}[parts[len(parts)-1]]
		if len(table) != len(data)/4 {
			t.Fatalf("%s: no such table", name)
		}
		for i, got := range table {
			want := float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
			if math.Abs(got-want) > 1e-6*math.Abs(want) {
				t.Errorf("%s[%d] = %v, want %v", name, i, got, want)
				break
			}
		}
	}
	if tables < 50 {
		t.Errorf("only %d tables", tables)
	}
}

func TestRescaledStartDoesNotDependOnN(t *testing.T) {
	total := func(n int) float64 {
		s, err := NewSchedule(Config{Interval: n, BetaMax: 0.3, T0: 1e-4, T: 1, RescaleStart: true})
		if err != nil {
			t.Fatal(err)
		}
		return s.StdFwd[n-1] * s.StdFwd[n-1]
	}
	if a, b := total(1000), total(200); math.Abs(a/b-1) > 0.01 {
		t.Errorf("total variance %v at N = 1000, %v at 200", a, b)
	}
	if s := schedule(t, 0.3, false); math.Abs(total(1000)-s.StdFwd[999]*s.StdFwd[999]) > 1e-12 {
		t.Error("at N = 1000 both variants must agree")
	}
}

func TestOwnSteps(t *testing.T) {
	for name, c := range map[string]struct {
		steps func(n, nfe int) ([]int, error)
		want  []int
	}{
		"early":     {earlySteps, []int{0, 968, 978, 985, 989, 992, 994, 996, 997, 998, 999}},
		"overshoot": {overshootSteps, []int{0, 50, 100, 150, 200, 249, 299, 349, 399, 449, 999}},
	} {
		if got, err := c.steps(1000, 10); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
		for _, n := range []int{2, 3, 30, 1000} {
			for nfe := 1; nfe < n; nfe++ {
				grid, err := c.steps(n, nfe)
				if err != nil || len(grid) != nfe+1 || grid[0] != 0 || grid[nfe] != n-1 || !slices.IsSorted(grid) || len(slices.Compact(grid)) != nfe+1 {
					t.Fatalf("%s: %d of %d: %v, %v", name, nfe, n, grid[:min(9, len(grid))], err)
				}
			}
		}
	}
}

func TestLogSteps(t *testing.T) {
	for nfe, want := range map[int][]int{
		1: {0}, 2: {0, 500}, 4: {0, 250, 500, 749},
		10: {0, 100, 200, 300, 400, 500, 599, 699, 799, 899},
		20: {0, 100, 200, 300, 400, 549, 649, 749, 849, 949},
	} {
		g, err := Steps(1000, nfe)
		if err != nil {
			t.Fatal(err)
		}
		if got := LogSteps(g); !slices.Equal(got, want) {
			t.Errorf("nfe %d: %v, want %v", nfe, got, want)
		}
	}
}

func TestTrainingPair(t *testing.T) {
	x0, x1 := &Image{C: 1, H: 1, W: 1, Pix: []float32{.25}}, &Image{C: 1, H: 1, W: 1, Pix: []float32{-.5}}
	for _, c := range []struct {
		ode      bool
		x, label float64
	}{{true, -.125495266, -1.412194016}, {false, .062396662, -.705554331}} {
		p, err := schedule(t, 0.3, c.ode).Sample(x0, x1, 500, boot{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "x_n, label", []float64{float64(p.X.Pix[0]), float64(p.Label.Pix[0])}, []float64{c.x, c.label}, 2e-7)
		// Where a walk begins: no noise, no trace of x0, at the level of the last index.
		s := schedule(t, 0.3, c.ode)
		p, err = s.Sample(x0, x1, 1000, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if p.X.Pix[0] != -.5 || p.Level != s.NoiseLevels[999] {
			t.Errorf("the start is %g at level %g", p.X.Pix[0], p.Level)
		}
		near(t, "label of the start", []float64{float64(p.Label.Pix[0])}, []float64{-.75 / s.StdFwd[999]}, 2e-7)
	}
	if _, err := schedule(t, 0.3, true).Sample(x0, NewImage(1, 2, 1), 5, nil, 0); err == nil {
		t.Error("different sizes: no error")
	}
	if _, err := schedule(t, 0.3, true).Sample(x0, x1, 1001, nil, 0); err == nil {
		t.Error("index 1001: no error")
	}
}
