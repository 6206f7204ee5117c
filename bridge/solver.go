package bridge

import (
	"fmt"
	"math"
)

// The OT-ODE in w = σ²/S is dx/dw = v with v = (x − x̂0)/w (Prop. 3.4). The
// solvers below are of second order in w or log w.

func (w *walker) w(i int) float64 { return w.MuX1[i] }

// euler is x + (w_p − w_n)·v_n.
func (w *walker) euler(n, p int) Step {
	r := w.w(p) / w.w(n)
	return Step{Index: n, Next: p, X: r, X0: 1 - r}
}

// ab2 extrapolates v from the last two evaluations; it saves v. The first
// step is Euler's.
func (w *walker) ab2() []Step {
	var steps []Step
	w.pairs(func(i, n, p int) {
		st := w.euler(n, p)
		if i > 0 {
			dw := w.w(p) - w.w(n)
			c := -dw / (2 * (w.w(steps[i-1].Index) - w.w(n)))
			// x + dw·((1+c)·v_n − c·v_prev)
			st.X, st.X0 = 1+dw*(1+c)/w.w(n), -dw*(1+c)/w.w(n)
			st.H[0] = -dw * c
		}
		st.Save, st.SaveX, st.SaveX0 = true, 1/w.w(n), -1/w.w(n)
		steps = append(steps, st)
	})
	return steps
}

// multistep ("2M") is exact for x̂0 linear in log w; first and last steps are
// Euler's. It saves x̂0.
func (w *walker) multistep() []Step {
	var steps []Step
	w.pairs(func(i, n, p int) {
		st := w.euler(n, p)
		if i > 0 && p > 0 {
			h := math.Log(w.w(n) / w.w(p))
			last := math.Log(w.w(steps[i-1].Index) / w.w(n))
			c := (h + math.Expm1(-h)) / last
			st.X0 += c
			st.H[0] = -c
		}
		st.Save, st.SaveX0 = true, 1
		steps = append(steps, st)
	})
	return steps
}

// heunSteps is the grid of k steps for nfe = 2k-1.
func heunSteps(n, nfe int) ([]int, error) {
	if nfe < 1 || nfe%2 == 0 {
		return nil, fmt.Errorf("bridge: heun takes two evaluations a step and one for the last: an odd number, such as %d, not %d", max(1, nfe-1), nfe)
	}
	if (nfe+1)/2 > n-1 {
		return nil, fmt.Errorf("bridge: %d evaluations: heun takes at most %d on a bridge of interval %d", nfe, 2*n-3, n)
	}
	return space(n, (nfe+1)/2+1), nil
}

// heun takes an Euler step, evaluates there, and goes again from the start
// with the mean of both slopes. Its first half saves x + dw/2·v. The last step
// is Euler's.
func (w *walker) heun() []Step {
	var steps []Step
	w.pairs(func(_, n, p int) {
		st := w.euler(n, p)
		if p == 0 {
			steps = append(steps, st)
			return
		}
		half := (w.w(p) - w.w(n)) / 2
		st.Inner = true
		st.Save, st.SaveX, st.SaveX0 = true, 1+half/w.w(n), -half/w.w(n)
		steps = append(steps, st,
			Step{Index: p, Next: p, H: [2]float64{1, 0}, X: half / w.w(p), X0: -half / w.w(p)})
	})
	return steps
}
