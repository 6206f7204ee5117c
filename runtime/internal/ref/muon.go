package ref

import (
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
)

// muon moves a matrix along its orthogonalised momentum: X ← aX + bXXᵀX + c(XXᵀ)²X,
// a few times, of X = U/|U|, as it is defined; X has a row an output.
func (l *learner) muon(m device.Matrix, u device.Update) {
	t := l.tensors[m.W]
	from, to := m.First*m.Inputs, (m.First+m.Outputs)*m.Inputs
	w, grad, m1, average := t[device.Weight][from:to], t[device.Grad][from:to], t[device.Moment1][from:to], t[device.Average][from:to]
	x, norm := make([]float64, len(w)), 0.0
	for i := range x {
		g := (1 - u.Muon) * u.Scale * float64(grad[i])
		m1[i] = float32(u.Muon*float64(m1[i]) + g)
		x[i] = u.Muon*float64(m1[i]) + g // as Nesterov looks ahead
		norm += x[i] * x[i]
	}
	if norm > 0 {
		for i := range x {
			x[i] /= math.Sqrt(norm)
		}
		for range device.Ortho.Turns {
			x = turn(x, m.Outputs, m.Inputs)
		}
	}
	for i := range w {
		w[i] = float32(float64(w[i])*(1-u.Rate*u.Decay) - m.Stride(u.Rate)*x[i])
		average[i] += float32((1 - u.Average) * (float64(w[i]) - float64(average[i])))
	}
}

// turn is aX + (bG + cG²)X with G = XXᵀ.
func turn(x []float64, rows, cols int) []float64 {
	o := device.Ortho
	g, p, y := make([]float64, rows*rows), make([]float64, rows*rows), make([]float64, len(x))
	for i := range rows {
		for j := range rows {
			for k := range cols {
				g[i*rows+j] += x[i*cols+k] * x[j*cols+k]
			}
		}
	}
	for i := range rows {
		for j := range rows {
			square := 0.0
			for k := range rows {
				square += g[i*rows+k] * g[k*rows+j]
			}
			p[i*rows+j] = o.B*g[i*rows+j] + o.C*square
		}
		p[i*rows+i] += o.A
	}
	for i := range rows {
		for j := range rows {
			for k := range cols {
				y[i*cols+k] += p[i*rows+j] * x[j*cols+k]
			}
		}
	}
	return y
}
