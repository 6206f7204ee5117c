package degrade

import (
	"math/rand/v2"
	"testing"
)

func TestOrderFalls(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 15, 16, 17, 100, 5000} {
		for _, values := range []int{1, 3, 1 << 30} { // all equal, many ties, none
			keys := make([]float32, n)
			for i := range keys {
				keys[i] = float32(r.IntN(values))
			}
			seen := make([]bool, n)
			at := order(keys)
			for i, k := range at {
				if seen[k] || (i > 0 && keys[at[i-1]] < keys[k]) {
					t.Fatalf("%d keys of %d values: wrong at %d", n, values, i)
				}
				seen[k] = true
			}
		}
	}
}
