package bridge

import (
	"math"
	"testing"
)

func schedule(t testing.TB, beta float64, ode bool) *Schedule {
	t.Helper()
	s, err := NewSchedule(Config{Interval: 1000, BetaMax: beta, T0: 1e-4, T: 1, OTODE: ode})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// chain walks a 1×1 picture from x1 = 1 with x̂0 = ½x and returns every state
// of the grid. Boots draw ε = 1, all other noise is 0.
func chain(t testing.TB, w *Walk) []float64 {
	t.Helper()
	s := State{C: 1, Rows: 1, Cols: 1, X: []float32{1}, X0: make([]float32, 1), X1: []float32{1}}
	for h := range w.History {
		s.H[h] = make([]float32, 1)
	}
	var out []float64
	for k, st := range w.Steps {
		s.X0[0] = s.X[0] / 2
		s.Update(st, k, boot{})
		if !st.Inner {
			out = append(out, float64(s.X[0]))
		}
	}
	return out
}

type boot struct{}

func (boot) Fill(dst []float32, _ Draw, step, _, _, _ int) {
	for i := range dst {
		dst[i] = 0
		if step == 0 {
			dst[i] = 1
		}
	}
}

func walk(t testing.TB, s *Schedule, o WalkOptions) *Walk {
	t.Helper()
	w, err := NewWalk(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func near(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > tol {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
	}
}

// The numbers of the next tests are those of the reference document, sections
// 1.6, 7.3 and 7.4, computed there in float64 from the formulas.

func TestPosteriorChain(t *testing.T) {
	s := schedule(t, 0.3, false)
	for nfe, want := range map[int][]float64{
		1:  {.500354541},
		2:  {.750661228, .375861491},
		4:  {.894206351, .731399537, .520770518, .261253802},
		10: {.961911307, .916447493, .862085654, .796655866, .717656515, .627840798, .534257815, .433641823, .318342956, .160637378},
	} {
		near(t, "ode", chain(t, walk(t, s, WalkOptions{Sampler: ODE, NFE: nfe})), want, 2e-7)
	}
	w := walk(t, s, WalkOptions{Sampler: Posterior, NFE: 2})
	near(t, "coefficients", []float64{w.Steps[0].X0, w.Steps[0].X, w.Steps[0].Noise, w.Steps[1].X0, w.Steps[1].X, w.Steps[1].Noise},
		[]float64{.498677543, .501322457, .187767319, .998585575, .001414425, 0}, 1e-9)
}

// TestOvershoot: the first stride is 1+η of the mean's, the others are the
// mean's, and one step is the mean's.
func TestOvershoot(t *testing.T) {
	s, half := schedule(t, 0.3, true), 0.5
	for _, nfe := range []int{1, 2, 7} {
		w := walk(t, s, WalkOptions{Sampler: Overshoot, NFE: nfe, Eta: &half})
		grid, _ := overshootSteps(s.N(), nfe)
		mean := walk(t, s, WalkOptions{Sampler: ODE, Grid: grid})
		a, b := chain(t, w), chain(t, mean)
		if want := 1 - 1.5*(1-b[0]); nfe > 1 && math.Abs(a[0]-want) > 1e-6 || nfe == 1 && a[0] != b[0] {
			t.Errorf("%d steps: the first leads from 1 to %v, the mean's to %v", nfe, a[0], b[0])
		}
		for i := 1; i < nfe; i++ {
			if math.Abs(a[i]/a[i-1]-b[i]/b[i-1]) > 1e-6 {
				t.Errorf("%d steps: step %d is not the mean's: %v, %v", nfe, i, a, b)
			}
		}
	}
	if _, err := NewWalk(schedule(t, 0.3, false), WalkOptions{Sampler: Overshoot, NFE: 2}); err == nil {
		t.Error("a stochastic network is walked by overshoot")
	}
}

func TestI3SB(t *testing.T) {
	s := schedule(t, 0.3, false)
	for _, c := range []struct {
		eta  float64
		n, p int
		want []float64 // x̂0, x_n, x1, g
	}{
		{0, 750, 500, []float64{.240437, 1.224834, -.465271, 0}},
		{.6, 750, 500, []float64{.277090, 1.051432, -.328522, .096376}},
		{1, 750, 500, []float64{.365018, .635456, -.000474, .160627}},
		{0, 500, 250, []float64{.379253, .817835, -.197089, 0}},
		{.6, 500, 250, []float64{.437104, .701981, -.139085, .078843}},
		{0, 250, 0, []float64{.948053, .065054, -.013107, 0}},
		{.6, 250, 0, []float64{.958270, .052081, -.010352, 0}},
	} {
		grid := []int{0, 250, 500, 750, 999}
		w := walk(t, s, WalkOptions{Sampler: I3SB, Eta: &c.eta, Grid: grid})
		for _, st := range w.Steps {
			if st.Index == c.n {
				near(t, "i3sb", []float64{st.X0, st.X, st.X1, st.Noise}, c.want, 1e-6)
			}
		}
	}
	zero := 0.0
	w := walk(t, s, WalkOptions{Sampler: I3SB, NFE: 4, Eta: &zero})
	w.Steps[0].Noise = 0
	near(t, "i3sb chain", chain(t, w), []float64{.894206351, .738130543, .546549878, .281527431}, 2e-7)
}

func TestDBIM(t *testing.T) {
	s := schedule(t, 0.3, false)
	grid := func(nfe int) []int { g, _ := Steps(1000, nfe); return g }
	near(t, "order 1", chain(t, walk(t, s, WalkOptions{Sampler: DBIM1, Grid: grid(4)})), []float64{1.047480098, .943911822, .753866704, .393287840}, 3e-7)
	near(t, "order 2", chain(t, walk(t, s, WalkOptions{Sampler: DBIM2, Grid: grid(4)})), []float64{1.047480098, .943911822, .742930256, .387392217}, 3e-7)
	for sampler, want := range map[Sampler]float64{DBIM1: .306876421, DBIM2: .293826040} {
		c := chain(t, walk(t, s, WalkOptions{Sampler: sampler, Grid: grid(10)}))
		near(t, sampler.String(), c[9:], []float64{want}, 1e-6)
	}
	one := 1.0
	w := walk(t, s, WalkOptions{Sampler: DBIM1, Eta: &one, Grid: grid(4)})
	near(t, "η = 1", chain(t, w), []float64{1.047480098, .856746104, .610049704, .306042414}, 3e-7)
}

// A Gaussian x0 ~ N(0, s²) with x1 = x0 + something makes x̂0 linear in x; the
// solvers' errors must fall with the square of the step, Euler's with the step.
func TestSolversAreOfSecondOrder(t *testing.T) {
	s := schedule(t, 1, true)
	run := func(sampler Sampler, nfe int) float64 {
		w := walk(t, s, WalkOptions{Sampler: sampler, NFE: nfe})
		var x, h0, h1 float64 = 1, 0, 0
		for _, st := range w.Steps {
			a := s.MuX1[st.Index]
			v := (0.8*a - 0.3*(1-a)) / (0.8*a*a + 0.5*(1-a)*(1-a)) * x // slope of E[x1−x0|x]
			x0 := x - a*v
			next := st.X*x + st.X0*x0 + st.H[0]*h0 + st.H[1]*h1
			if st.Save {
				h0, h1 = st.SaveX*x+st.SaveX0*x0, h0
			}
			x = next
		}
		return x
	}
	fine := run(Heun, 399)
	for _, c := range []struct {
		sampler  Sampler
		few, lot int
		ratio    float64
	}{{AB2, 10, 40, 6}, {Heun, 19, 79, 6}, {M2, 20, 80, 3}, {ODE, 10, 40, 3}} {
		a, b := math.Abs(run(c.sampler, c.few)-fine), math.Abs(run(c.sampler, c.lot)-fine)
		t.Logf("%v: error %.2e at %d, %.2e at %d", c.sampler, a, c.few, b, c.lot)
		if a < c.ratio*b {
			t.Errorf("%v: error %.2e at %d evaluations, %.2e at %d", c.sampler, a, c.few, b, c.lot)
		}
	}
}

func TestEverySamplerKeepsConstants(t *testing.T) {
	for _, ode := range []bool{false, true} {
		s := schedule(t, 0.3, ode)
		for i := range samplerNames {
			for _, nfe := range []int{1, 2, 3, 5, 7, 21} {
				w, err := NewWalk(s, WalkOptions{Sampler: Sampler(i), NFE: nfe, Force: true})
				if err != nil {
					continue
				}
				// x = x̂0 = x1 = 1 must stay 1 without noise: the weights sum to 1.
				x, h0, h1 := 1.0, 0.0, 0.0
				for k, st := range w.Steps {
					next := st.X*x + st.X0 + st.X1 + st.H[0]*h0 + st.H[1]*h1
					if st.Save {
						h0, h1 = st.SaveX*x+st.SaveX0, h0
					}
					if math.Abs(next-1) > 1e-9 {
						t.Fatalf("%v, %d evaluations, step %d: %v", w.Sampler, nfe, k, next)
					}
					x = next
				}
				if got := w.Steps[len(w.Steps)-1].Next; got != 0 || len(w.Steps) != nfe {
					t.Errorf("%v: %d evaluations asked, %d made, the last to %d", w.Sampler, nfe, len(w.Steps), got)
				}
			}
		}
	}
}

func TestImpossibleWalks(t *testing.T) {
	sde, ode := schedule(t, 0.3, false), schedule(t, 0.3, true)
	two := 2.0
	for name, f := range map[string]func() error{
		"0":              func() error { _, e := NewWalk(sde, WalkOptions{}); return e },
		"1000":           func() error { _, e := NewWalk(sde, WalkOptions{NFE: 1000}); return e },
		"heun 4":         func() error { _, e := NewWalk(ode, WalkOptions{Sampler: Heun, NFE: 4}); return e },
		"dbim 1":         func() error { _, e := NewWalk(sde, WalkOptions{Sampler: DBIM1, NFE: 1}); return e },
		"i3sb on ode":    func() error { _, e := NewWalk(ode, WalkOptions{Sampler: I3SB, NFE: 4}); return e },
		"ab2 on sde":     func() error { _, e := NewWalk(sde, WalkOptions{Sampler: AB2, NFE: 4}); return e },
		"eta":            func() error { _, e := NewWalk(sde, WalkOptions{Sampler: I3SB, NFE: 4, Eta: &two}); return e },
		"eta of dbim2":   func() error { _, e := NewWalk(sde, WalkOptions{Sampler: DBIM2, NFE: 4, Eta: &two}); return e },
		"grid":           func() error { _, e := NewWalk(sde, WalkOptions{Grid: []int{0, 5, 5, 999}}); return e },
		"no sampler":     func() error { _, e := NewWalk(sde, WalkOptions{Sampler: 99, NFE: 1}); return e },
		"odd interval":   func() error { _, e := NewSchedule(Config{Interval: 7, BetaMax: 1, T: 1}); return e },
		"no interval":    func() error { _, e := NewSchedule(Config{BetaMax: 1, T: 1}); return e },
		"beta_max":       func() error { _, e := NewSchedule(Config{Interval: 10, BetaMax: math.NaN(), T: 1}); return e },
		"no such name":   func() error { _, e := ParseSampler("euler"); return e },
		"noise levels":   func() error { _, e := NewSchedule(Config{Interval: 10, BetaMax: 1, T0: 1, T: 1}); return e },
		"negative steps": func() error { _, e := Steps(1000, -1); return e },
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
