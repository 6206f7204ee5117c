// Package bridge is the mathematics of I²SB (Liu et al., ICML 2023, arXiv
// 2302.05872) in pure Go: schedule, samplers as tables of coefficients,
// counter-based noise and training targets. Coefficients are float64.
package bridge

// Config describes a bridge. weights.Bridge has the same fields in the same
// order, so that one converts into the other.
type Config struct {
	Interval     int     // N, even, at least 2
	BetaMax      float64 // > 0
	T0           float64 // noise level of index 0 over N, 1e-4
	T            float64 // noise level of index N-1 over N, 1
	OTODE        bool    // deterministic bridge (Prop. 3.4)
	CondX1       bool    // the network reads concat(x_n, x1)
	AddX1Noise   bool    // x1 gets N(0,1) after the condition was taken
	RescaleStart bool    // β starts at 0.1/N, so that the shape does not depend on N
	Fill         string  // what holes of x1 hold: FillNoise or FillHarmonic
}
