package bridge

import "fmt"

// Sample is a training pair of eq. (11) and (12) for index n.
type Sample struct {
	X     *Image  // x_n = μ0·x0 + μ1·x1 (+ std_sb·ε on stochastic bridges)
	Label *Image  // (x_n − x0)/σ_n
	Level float64 // noise level for the network
}

// Sample makes the training pair of x0 and x1 at index n, with noise of
// DrawStep at the given step number. On OT-ODE bridges noise may be nil. n = N
// is where a walk begins: x1 itself, of which the network is asked at index N−1.
// (x_{N−1} has a trace of x0, which nothing hides on an OT-ODE bridge.)
func (s *Schedule) Sample(x0, x1 *Image, n int, noise Noise, step int) (Sample, error) {
	if err := x0.SameSize(x1); err != nil {
		return Sample{}, err
	}
	if n < 0 || n > s.N() {
		return Sample{}, fmt.Errorf("bridge: index %d is outside 0 to %d", n, s.N())
	}
	if n == s.N() {
		return s.start(x0, x1), nil
	}
	p := Sample{X: NewImage(x0.C, x0.H, x0.W), Label: NewImage(x0.C, x0.H, x0.W), Level: s.NoiseLevels[n]}
	eps := make([]float32, x0.W)
	for c := range x0.C {
		for y := range x0.H {
			if !s.Config.OTODE {
				noise.Fill(eps, DrawStep, step, c, y, 0)
			}
			for x := range x0.W {
				i := (c*x0.H+y)*x0.W + x
				v := s.MuX0[n]*float64(x0.Pix[i]) + s.MuX1[n]*float64(x1.Pix[i])
				if !s.Config.OTODE {
					v += s.StdSB[n] * float64(eps[x])
				}
				p.X.Pix[i] = float32(v)
				p.Label.Pix[i] = float32((v - float64(x0.Pix[i])) / s.StdFwd[n])
			}
		}
	}
	return p, nil
}

func (s *Schedule) start(x0, x1 *Image) Sample {
	n := s.N() - 1
	p := Sample{X: x1.Clone(), Label: NewImage(x0.C, x0.H, x0.W), Level: s.NoiseLevels[n]}
	for i, v := range x1.Pix {
		p.Label.Pix[i] = float32((float64(v) - float64(x0.Pix[i])) / s.StdFwd[n])
	}
	return p
}

// Masked multiplies prediction and label by the mask (H·W, 255 in the hole),
// so that only the hole is learnt. The reference still divides the loss by all
// elements.
func Masked(mask []uint8, tensors ...*Image) {
	for _, t := range tensors {
		for c := range t.C {
			for i, h := range mask {
				t.Plane(c)[i] *= float32(h) / 255
			}
		}
	}
}
