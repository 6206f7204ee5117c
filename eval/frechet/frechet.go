// Package frechet measures how far apart two sets of features are, taken as
// Gaussians: with the features of Inception it is the FID.
package frechet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Distance is |μ₁−μ₂|² + tr Σ₁ + tr Σ₂ − 2 tr (Σ₁Σ₂)^½ of two sets of at least
// two vectors each, with the covariances' divisor n−1. As Σ = XᵀX/(n−1) for
// centred rows X, the last trace is the sum of the singular values of
// X₁X₂ᵀ/√((n₁−1)(n₂−1)), which are those of R₁R₂ᵀ where X = QR: no root of a
// matrix is taken, and few vectors of many elements are no trouble.
func Distance(a, b [][]float64) (float64, error) {
	if len(a) < 2 || len(b) < 2 {
		return 0, fmt.Errorf("a distance between sets needs two pictures at least in each, not %d and %d", len(a), len(b))
	}
	for _, x := range append(a[:len(a):len(a)], b...) {
		if len(x) != len(a[0]) {
			return 0, fmt.Errorf("features of %d and %d elements", len(a[0]), len(x))
		}
	}
	x, mx := centred(a)
	y, my := centred(b)
	sum := square(x) + square(y)
	for i := range mx {
		d := mx[i] - my[i]
		sum += d * d
	}
	var product mat.Dense
	product.Mul(x, y.T())
	var svd mat.SVD
	if !svd.Factorize(&product, mat.SVDNone) {
		return 0, fmt.Errorf("the features' singular values do not converge")
	}
	for _, s := range svd.Values(nil) {
		sum -= 2 * s
	}
	return max(0, sum), nil
}

// centred is X/√(n−1) and the mean. More vectors than elements are replaced by
// the triangle R of X = QR, which has the same XᵀX.
func centred(a [][]float64) (*mat.Dense, []float64) {
	n, d := len(a), len(a[0])
	mean := make([]float64, d)
	for _, x := range a {
		for i, v := range x {
			mean[i] += v / float64(n)
		}
	}
	m := mat.NewDense(n, d, nil)
	for r, x := range a {
		for i, v := range x {
			m.Set(r, i, (v-mean[i])/math.Sqrt(float64(n-1)))
		}
	}
	if n <= d {
		return m, mean
	}
	var qr mat.QR
	qr.Factorize(m)
	var r mat.Dense
	qr.RTo(&r)
	return mat.DenseCopyOf(r.Slice(0, d, 0, d)), mean
}

func square(m *mat.Dense) float64 {
	f := mat.Norm(m, 2)
	return f * f
}
