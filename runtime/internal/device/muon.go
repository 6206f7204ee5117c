package device

import (
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// Matrix is what Muon moves as one matrix: outputs First to First+Outputs of a
// layer's weight, each of Inputs numbers (channels times taps).
type Matrix struct {
	W              plan.Param
	First, Outputs int
	Inputs         int
}

// Ortho is the polynomial aσ + bσ³ + cσ⁵ that brings singular values near 1,
// and how often it is applied: K. Jordan's coefficients, which take every σ from
// 0.003 to 1 to 0.68 … 1.13.
var Ortho = struct {
	A, B, C float64
	Turns   int
}{3.4445, -4.7750, 2.0315, 5}

// narrowest is the channels that a layer must have on both sides: the first and
// the last layer of a network, whose channels are colours, move by AdamW.
const narrowest = 32

// Matrices lists what Muon moves of a plan's parameters, by parameter. A layer
// of more outputs than inputs is several matrices, each at most square: the
// queries, keys and values of attention, the scales and shifts of a time step.
// They begin at multiples of 16 outputs.
func Matrices(p *plan.Plan) []Matrix {
	whole := make([]Matrix, len(p.Params))
	see := func(w plan.Param, out, in, taps int) {
		if int(w) < len(whole) && out >= narrowest && in >= narrowest {
			whole[w] = Matrix{w, 0, out, in * taps}
		}
	}
	for _, op := range p.Ops {
		switch o := op.(type) {
		case *plan.Conv:
			see(o.W, p.Shape(o.Y).C, p.Channels(o.X), o.Kernel*o.Kernel)
		case *plan.Linear:
			see(o.W, p.Shape(o.Y).C, p.Shape(o.X).C, 1)
		}
	}
	var all []Matrix
	for _, m := range whole {
		if m.Outputs == 0 {
			continue
		}
		blocks, parts := (m.Outputs+15)/16, (m.Outputs+m.Inputs-1)/m.Inputs
		for i := range parts {
			from, to := i*blocks/parts*16, min(m.Outputs, (i+1)*blocks/parts*16)
			all = append(all, Matrix{m.W, from, to - from, m.Inputs})
		}
	}
	return all
}

// Stride is the length of Muon's step at a rate: 0.2·√(longer side) for every
// singular value, so that the elements of a full matrix move by 0.2·rate, about
// as AdamW would move them.
func (m Matrix) Stride(rate float64) float64 {
	return 0.2 * rate * math.Sqrt(float64(max(m.Outputs, m.Inputs)))
}
