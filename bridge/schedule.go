package bridge

import (
	"fmt"
	"math"
)

// betaStart is the least β of the released schedule. It is not divided by N;
// 0.1/N is its N-independent form and equals it at N = 1000.
const betaStart = 1e-4

// Schedule holds the tables of a bridge. Index 0 is the clean end, N-1 the
// degraded one. All slices have N elements.
type Schedule struct {
	Config      Config
	Betas       []float64
	StdFwd      []float64 // σ_i = √Σ_{k≤i} β_k
	StdBwd      []float64 // σ̄_i = √Σ_{k≥i} β_k
	StdSB       []float64 // σσ̄/√(σ²+σ̄²), the standard deviation of q(x_i|x0,x1)
	MuX0, MuX1  []float64 // weights of x0 and x1 in its mean, eq. (11); they sum to 1
	NoiseLevels []float64 // what the network is told of index i
}

// NewSchedule computes the symmetric quadratic schedule: √β rises linearly
// from its start towards √(BetaMax/N) over N steps, but only its first half is
// used, followed by the same values in reverse.
func NewSchedule(c Config) (*Schedule, error) {
	n := c.Interval
	switch {
	case n < 2 || n%2 != 0:
		return nil, fmt.Errorf("bridge: interval %d: it must be even and at least 2", n)
	case n > 1<<20:
		return nil, fmt.Errorf("bridge: interval %d is larger than %d", n, 1<<20)
	case !(c.BetaMax > 0) || math.IsInf(c.BetaMax, 0):
		return nil, fmt.Errorf("bridge: beta_max %v: it must be positive", c.BetaMax)
	case math.IsNaN(c.T0) || math.IsNaN(c.T) || c.T0 < 0 || !(c.T > c.T0) || math.IsInf(c.T, 0):
		return nil, fmt.Errorf("bridge: noise levels from t0 %v to T %v: want 0 ≤ t0 < T", c.T0, c.T)
	case c.Fill != FillNoise && c.Fill != FillHarmonic:
		return nil, fmt.Errorf("bridge: fill %q: there is %s, or nothing for noise", c.Fill, FillHarmonic)
	}
	start := betaStart
	if c.RescaleStart {
		start = 1000 * betaStart / float64(n)
	}
	lo, hi := math.Sqrt(start), math.Sqrt(c.BetaMax/float64(n))
	s := &Schedule{Config: c}
	for _, t := range []*[]float64{&s.Betas, &s.StdFwd, &s.StdBwd, &s.StdSB, &s.MuX0, &s.MuX1, &s.NoiseLevels} {
		*t = make([]float64, n)
	}
	for i := range n {
		r := lo + (hi-lo)*float64(min(i, n-1-i))/float64(n-1)
		s.Betas[i] = r * r
		s.NoiseLevels[i] = float64(n) * (c.T0 + (c.T-c.T0)*float64(i)/float64(n-1))
	}
	fwd, bwd := 0.0, 0.0
	for i := range n {
		fwd += s.Betas[i]
		bwd += s.Betas[n-1-i]
		s.StdFwd[i], s.StdBwd[n-1-i] = math.Sqrt(fwd), math.Sqrt(bwd)
	}
	for i := range n {
		f, b := s.StdFwd[i]*s.StdFwd[i], s.StdBwd[i]*s.StdBwd[i]
		s.MuX0[i], s.MuX1[i] = b/(f+b), f/(f+b)
		s.StdSB[i] = math.Sqrt(f * b / (f + b))
	}
	return s, nil
}

// N is the number of indices.
func (s *Schedule) N() int { return len(s.Betas) }
