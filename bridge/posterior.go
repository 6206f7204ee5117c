package bridge

import "math"

// posterior is the DDPM posterior, eq. (4): with α² = σ_n² − σ_p²,
// x_p = (α²/σ_n²)·x̂0 + (σ_p²/σ_n²)·x_n + √(σ_p²α²/σ_n²)·ε, without noise on
// OT-ODE networks and in the last step.
func (w *walker) posterior() []Step {
	steps := w.mean()
	if !w.Config.OTODE {
		for i := range steps {
			steps[i].Noise = w.posteriorNoise(steps[i].Index, steps[i].Next)
		}
	}
	return steps
}

func (w *walker) posteriorNoise(n, p int) float64 {
	if p == 0 {
		return 0
	}
	a := w.alpha2(n, p)
	return math.Sqrt(w.StdFwd[p] * w.StdFwd[p] * a / (w.StdFwd[n] * w.StdFwd[n]))
}

// alpha2 is σ_n² − σ_p².
func (w *walker) alpha2(n, p int) float64 {
	return w.StdFwd[n]*w.StdFwd[n] - w.StdFwd[p]*w.StdFwd[p]
}

// mean is the posterior's mean: the official OT-ODE sampler, an Euler step in
// w = σ²/S.
func (w *walker) mean() []Step {
	var steps []Step
	w.pairs(func(_, n, p int) {
		s2 := w.StdFwd[n] * w.StdFwd[n]
		steps = append(steps, Step{Index: n, Next: p, X0: w.alpha2(n, p) / s2, X: w.StdFwd[p] * w.StdFwd[p] / s2})
	})
	return steps
}

// overshoot is the mean, but that its first stride, if more follow, goes 1+η
// times as far. x̂0 is a mean of what x0 can be, and so nearer to x1 than x0 is:
// E|x0−x1|² = E|x̂0−x1|² + E|x0−x̂0|². The states of the mean's walk have less of
// x0 in them than those that the network was trained on; see RATIONALE.md.
func (w *walker) overshoot() []Step {
	steps := w.mean()
	if first := &steps[0]; first.Next > 0 {
		first.X, first.X0 = first.X-w.eta*first.X0, first.X0+w.eta*first.X0
	}
	return steps
}

// i3sb is the implicit sampler: its first step is the posterior's; then noise
// of g = η·σ_p·α/σ_n and as much of x_n's own noise as keeps the marginal.
func (w *walker) i3sb() []Step {
	steps := w.posterior()
	for i := 1; i < len(steps); i++ {
		n, p := steps[i].Index, steps[i].Next
		g := w.eta * w.StdFwd[p] * math.Sqrt(w.alpha2(n, p)) / w.StdFwd[n]
		steps[i] = w.implicit(n, p, g)
		if p == 0 {
			steps[i].Noise = 0
		}
	}
	return steps
}

// implicit moves from n to p with fresh noise g and the rest of the marginal's
// deviation c_p taken from x_n: with k = √(c_p² − g²)/c_n,
// x_p = b_p·x̂0 + a_p·x1 + k·(x_n − b_n·x̂0 − a_n·x1) + g·ε.
func (w *walker) implicit(n, p int, g float64) Step {
	c := w.StdSB[p]
	g = min(g, c)
	k := math.Sqrt(c*c-g*g) / w.StdSB[n]
	return Step{Index: n, Next: p, X: k, X0: w.MuX0[p] - k*w.MuX0[n], X1: w.MuX1[p] - k*w.MuX1[n], Noise: g}
}

// dbim1 boots with noise at the first index below the end, then goes on as
// implicit steps with ω = η·σ_t·√(1 − σ_t²/σ_s²).
func (w *walker) dbim1() []Step {
	var steps []Step
	w.pairs(func(i, n, p int) {
		if i == 0 {
			steps = append(steps, Step{Index: n, Next: p, X0: w.MuX0[p], X1: w.MuX1[p], Noise: w.StdSB[p]})
			return
		}
		g := w.eta * w.StdFwd[p] * math.Sqrt(w.alpha2(n, p)) / w.StdFwd[n]
		st := w.implicit(n, p, g)
		if p == 0 {
			st.Noise = 0
		}
		steps = append(steps, st)
	})
	for i := range steps {
		steps[i].MaskX0 = true
	}
	return steps
}

// lambda is log(b/c), in which DBIM's higher orders are polynomials.
func (w *walker) lambda(i int) float64 { return math.Log(w.MuX0[i] / w.StdSB[i]) }

func (w *walker) dbim2() []Step { return w.dbim(2) }
func (w *walker) dbim3() []Step { return w.dbim(3) }

// dbim integrates d(x/c) = x1·d(a/c) + x̂0·d(b/c) with x̂0 as a polynomial in λ
// through the last one to three estimates. The boot's, the first and the last
// steps are of order 1, the second of at most order 2.
func (w *walker) dbim(order int) []Step {
	steps := w.dbim1()
	for i := range steps {
		steps[i].Save, steps[i].SaveX0 = true, 1
		use := min(order, i)
		if i == len(steps)-1 || use < 2 {
			continue
		}
		s, t, u := steps[i].Index, steps[i].Next, steps[i-1].Index
		h, h1 := w.lambda(t)-w.lambda(s), w.lambda(s)-w.lambda(u)
		e := math.Exp(w.lambda(t))
		k := w.StdSB[t] / w.StdSB[s]
		p1 := math.Expm1(-h) + h // e^{−h} + h − 1
		st := &steps[i]
		st.X, st.X1 = k, w.MuX1[t]-w.MuX1[s]*k
		ct := w.StdSB[t] * e
		st.X0 = -math.Expm1(-h)
		if use == 2 {
			st.X0 += p1 / h1
			st.H[0] = -p1 / h1
		} else {
			h2 := w.lambda(u) - w.lambda(steps[i-2].Index)
			p2 := h*h/2 - p1 // h²/2 − h + 1 − e^{−h}
			// D1 and D2 as combinations of x̂0_s, h0 = x̂0_u1, h1 = x̂0_u2.
			d1 := [3]float64{(2*h1 + h2) / h1, -(2*h1+h2)/h1 - h1/h2, h1 / h2}
			d2 := [3]float64{1 / h1, -1/h1 - 1/h2, 1 / h2}
			for j := range d1 {
				c := p1*d1[j]/(h1+h2) + p2*2*d2[j]/(h1+h2)
				if j == 0 {
					st.X0 += c
				} else {
					st.H[j-1] = c
				}
			}
		}
		st.X0 *= ct
		st.H[0] *= ct
		st.H[1] *= ct
	}
	return steps
}
