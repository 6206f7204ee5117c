package frechet

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func normal(seed uint64, n, d int) [][]float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	a := make([][]float64, n)
	for i := range a {
		a[i] = make([]float64, d)
		for j := range a[i] {
			a[i][j] = r.NormFloat64()
		}
	}
	return a
}

// TestKnownGaussians: scaling by s and moving by m gives |m|² + (s−1)² tr Σ.
func TestKnownGaussians(t *testing.T) {
	for _, n := range []int{5, 40} { // fewer and more vectors than elements
		const d = 9
		a := normal(1, n, d)
		b := make([][]float64, n)
		trace := 0.0
		for j := range d {
			mean, square := 0.0, 0.0
			for i := range a {
				mean += a[i][j] / float64(n)
				square += a[i][j] * a[i][j]
			}
			trace += (square - float64(n)*mean*mean) / float64(n-1)
			for i := range b {
				b[i] = append(b[i], mean+3*(a[i][j]-mean)+0.5)
			}
		}
		got, err := Distance(a, b)
		if want := 0.25*d + 4*trace; err != nil || math.Abs(got-want) > 1e-9*want {
			t.Errorf("%d vectors: %v %v, want %v", n, got, err, want)
		}
		if got, _ := Distance(a, a); math.Abs(got) > 1e-10 {
			t.Errorf("%d vectors with themselves: %v", n, got)
		}
	}
}

// TestAgainstRoots takes the root of Σ₁^½Σ₂Σ₁^½ by eigenvalues.
func TestAgainstRoots(t *testing.T) {
	const d = 6
	a, b := normal(2, 30, d), normal(3, 50, d)
	for _, x := range b {
		for j := range x {
			x[j] = x[j]*float64(j+1)/3 + x[0]
		}
	}
	sa, ma := covariance(a)
	sb, mb := covariance(b)
	root := power(sa, 0.5)
	var inner, m mat.Dense
	m.Mul(root, sb)
	inner.Mul(&m, root)
	sym := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			sym.SetSym(i, j, (inner.At(i, j)+inner.At(j, i))/2)
		}
	}
	want := mat.Trace(sa) + mat.Trace(sb) - 2*mat.Trace(power(sym, 0.5))
	for i := range ma {
		want += (ma[i] - mb[i]) * (ma[i] - mb[i])
	}
	if got, err := Distance(a, b); err != nil || math.Abs(got-want) > 1e-9*want {
		t.Errorf("%v %v, want %v", got, err, want)
	}
}

func covariance(a [][]float64) (*mat.SymDense, []float64) {
	x, mean := centred(a)
	var s mat.SymDense
	s.SymOuterK(1, x.T())
	return &s, mean
}

func power(s *mat.SymDense, p float64) *mat.Dense {
	var e mat.EigenSym
	if !e.Factorize(s, true) {
		panic("no eigenvalues")
	}
	var v, m, out mat.Dense
	e.VectorsTo(&v)
	d := mat.NewDiagDense(s.SymmetricDim(), nil)
	for i, x := range e.Values(nil) {
		d.SetDiag(i, math.Pow(max(0, x), p))
	}
	m.Mul(&v, d)
	out.Mul(&m, v.T())
	return &out
}

func TestTooFew(t *testing.T) {
	if _, err := Distance(normal(1, 1, 3), normal(1, 5, 3)); err == nil {
		t.Error("one vector: no error")
	}
	if _, err := Distance(normal(1, 3, 3), normal(1, 5, 4)); err == nil {
		t.Error("different lengths: no error")
	}
}
