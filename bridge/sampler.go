package bridge

import (
	"errors"
	"fmt"
	"strings"
)

// Sampler names a way to walk from x1 to x0.
type Sampler int

const (
	Posterior Sampler = iota // DDPM posterior, eq. (4); any NFE
	ODE                      // its mean alone, Prop. 3.4; any NFE
	Early                    // ODE with most steps near x1; any NFE
	Overshoot                // ODE whose first stride goes farther; OT-ODE networks; η; any NFE
	I3SB                     // implicit, arXiv 2403.06069; η; any NFE
	DBIM1                    // arXiv 2405.15885, order 1; η; NFE ≥ 2, the boot counted
	DBIM2                    // order 2, η = 0
	DBIM3                    // order 3, η = 0
	AB2                      // Adams–Bashforth in w = σ²/S, OT-ODE networks; any NFE
	M2                       // exponential multistep in log w, OT-ODE networks; any NFE
	Heun                     // second order in w, OT-ODE networks; NFE = 2k-1
)

var samplerNames = []string{"posterior", "ode", "early", "overshoot", "i3sb", "dbim1", "dbim2", "dbim3", "ab2", "2m", "heun"}

// String is the sampler's name on the command line.
func (s Sampler) String() string {
	if s < 0 || int(s) >= len(samplerNames) {
		return fmt.Sprintf("Sampler(%d)", int(s))
	}
	return samplerNames[s]
}

// SamplerNames lists all samplers.
func SamplerNames() []string { return append([]string(nil), samplerNames...) }

// ParseSampler finds a sampler by name.
func ParseSampler(name string) (Sampler, error) {
	for i, n := range samplerNames {
		if n == name {
			return Sampler(i), nil
		}
	}
	return 0, fmt.Errorf("there is no sampler %q; there are %s", name, strings.Join(samplerNames, ", "))
}

// Step makes the next state of a walk:
//
//	x' = X·x + X0·x̂0 + X1·x1 + H[0]·h0 + H[1]·h1 + Noise·ε
//
// with x̂0 = x − Sigma·net(x, Level). If Save is set, SaveX·x + SaveX0·x̂0 then
// becomes h0, and what h0 was becomes h1.
type Step struct {
	Index int     // where the network is evaluated
	Level float64 // the noise level that it is told
	Sigma float64 // σ at Index
	Next  int     // the index that the new state belongs to
	Inner bool    // half a step: the new state is no point of the grid

	X, X0, X1 float64
	H         [2]float64
	Noise     float64

	Save          bool
	SaveX, SaveX0 float64

	// With a mask, known pixels of the new state are x1 + MaskNoise·ε′; with
	// MaskX0 they are x1 in x̂0 as well.
	MaskNoise float64
	MaskX0    bool
}

// Walk is a sampler as a table of coefficients.
type Walk struct {
	Sampler Sampler
	Steps   []Step
	UsesX1  bool // some step reads x1
	History int  // how many saved combinations are read, 0 to 2
	SavesX0 bool // they are earlier x̂0, so that h0 is the last one after every step
}

// WalkOptions choose a walk.
type WalkOptions struct {
	Sampler Sampler
	NFE     int      // network evaluations
	Eta     *float64 // Overshoot, I3SB and DBIM1, 0 to 1; nil: 0.25, 0.6 and 0
	// Grid, if set, replaces the sampler's own indices: rising, from 0 to N-1.
	Grid []int
	// Force allows samplers that do not suit the network: noise in the walk of
	// an OT-ODE network, or a solver of the OT-ODE for a stochastic one.
	Force bool
}

// UnsuitedError says that a sampler does not suit a network.
type UnsuitedError struct {
	Sampler Sampler
	OTODE   bool // of the network
}

func (e *UnsuitedError) Error() string {
	unsuited, why := "ode", "solves the OT-ODE, which this stochastic network was not trained for"
	if e.OTODE {
		unsuited, why = "sde", "adds noise, which this OT-ODE network has not seen"
	}
	var suited []string
	for i, d := range samplers {
		if d.only != unsuited {
			suited = append(suited, samplerNames[i])
		}
	}
	return fmt.Sprintf("sampler %s %s; use one of %s", e.Sampler, why, strings.Join(suited, ", "))
}

// ErrEta says that a sampler does not take an η.
var ErrEta = errors.New("bridge: η is out of range")

// walker makes a table for the rising indices of a grid.
type walker struct {
	*Schedule
	grid []int
	eta  float64
}

// samplers gives each sampler its table, its default grid and its η.
var samplers = [...]struct {
	table func(*walker) []Step
	grid  func(n, nfe int) ([]int, error)
	eta   float64 // default; -1: takes none
	only  string  // "sde" or "ode": the networks that it suits
}{
	Posterior: {(*walker).posterior, Steps, -1, ""},
	ODE:       {(*walker).mean, Steps, -1, ""},
	Early:     {(*walker).mean, earlySteps, -1, ""},
	Overshoot: {(*walker).overshoot, overshootSteps, 0.25, "ode"},
	I3SB:      {(*walker).i3sb, Steps, 0.6, "sde"},
	DBIM1:     {(*walker).dbim1, dbimSteps, 0, "sde"},
	DBIM2:     {(*walker).dbim2, dbimSteps, -1, "sde"},
	DBIM3:     {(*walker).dbim3, dbimSteps, -1, "sde"},
	AB2:       {(*walker).ab2, Steps, -1, "ode"},
	M2:        {(*walker).multistep, Steps, -1, "ode"},
	Heun:      {(*walker).heun, heunSteps, -1, "ode"},
}

// NewWalk makes the table of a sampler. An impossible NFE, η or a sampler that
// does not suit the network is an error.
func NewWalk(s *Schedule, o WalkOptions) (*Walk, error) {
	if o.Sampler < 0 || int(o.Sampler) >= len(samplers) {
		return nil, fmt.Errorf("bridge: there is no %v", o.Sampler)
	}
	d := samplers[o.Sampler]
	if !o.Force && (d.only == "sde" && s.Config.OTODE || d.only == "ode" && !s.Config.OTODE) {
		return nil, &UnsuitedError{o.Sampler, s.Config.OTODE}
	}
	w := &walker{Schedule: s, eta: max(0, d.eta)}
	if o.Eta != nil {
		w.eta = *o.Eta
		if !(w.eta >= 0 && w.eta <= 1) || (d.eta < 0 && w.eta != 0) {
			takes := "0 to 1"
			if d.eta < 0 {
				takes = "none"
			}
			return nil, fmt.Errorf("%w: %s takes %s", ErrEta, o.Sampler, takes)
		}
	}
	if w.grid = o.Grid; w.grid == nil {
		var err error
		if w.grid, err = d.grid(s.N(), o.NFE); err != nil {
			return nil, err
		}
	} else if err := s.checkGrid(w.grid); err != nil {
		return nil, err
	}
	t := &Walk{Sampler: o.Sampler, Steps: d.table(w), SavesX0: true}
	for i := range t.Steps {
		st := &t.Steps[i]
		st.Level, st.Sigma = s.NoiseLevels[st.Index], s.StdFwd[st.Index]
		if o.Sampler == Posterior || d.only == "sde" {
			if !s.Config.OTODE {
				st.MaskNoise = s.StdSB[st.Next]
			}
		}
		t.UsesX1 = t.UsesX1 || st.X1 != 0 || st.MaskX0
		for h, c := range st.H {
			if c != 0 {
				t.History = max(t.History, h+1)
			}
		}
		t.SavesX0 = t.SavesX0 && st.Save && st.SaveX == 0 && st.SaveX0 == 1
	}
	t.SavesX0 = t.SavesX0 && t.History > 0
	return t, nil
}

func (s *Schedule) checkGrid(g []int) error {
	for i := range g {
		if i > 0 && g[i] <= g[i-1] {
			return fmt.Errorf("bridge: grid %v does not rise", g)
		}
	}
	if len(g) < 2 || g[0] != 0 || g[len(g)-1] != s.N()-1 {
		return fmt.Errorf("bridge: a grid must lead from 0 to %d", s.N()-1)
	}
	return nil
}

// pairs calls f for each step n → p of the grid, from the end downwards.
func (w *walker) pairs(f func(i, n, p int)) {
	for i := len(w.grid) - 1; i > 0; i-- {
		f(len(w.grid)-1-i, w.grid[i], w.grid[i-1])
	}
}
