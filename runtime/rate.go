package runtime

import "math"

// StepRate falls by a factor every so many steps, as the reference's StepLR.
func StepRate(rate, factor float64, every int) func(int) float64 {
	return func(step int) float64 { return rate * math.Pow(factor, float64((step-1)/every)) }
}

// CosineRate falls from rate to last over a number of steps, along half a
// cosine, after a linear rise over the first warm ones.
func CosineRate(rate, last float64, steps, warm int) func(int) float64 {
	return func(step int) float64 {
		if step <= warm {
			return rate * float64(step) / float64(warm)
		}
		t := min(1, float64(step-warm)/float64(max(1, steps-warm)))
		return last + (rate-last)*(1+math.Cos(math.Pi*t))/2
	}
}
