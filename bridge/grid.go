package bridge

import (
	"fmt"
	"math"
)

// Steps returns the nfe+1 indices, rising from 0 to n-1, that a walk of nfe
// steps visits. The stride is added up in floating point and rounded half to
// even, as the reference does, because that decides some of the indices.
func Steps(n, nfe int) ([]int, error) {
	if nfe < 1 || nfe > n-1 {
		return nil, fmt.Errorf("bridge: %d steps: a bridge of interval %d takes 1 to %d", nfe, n, n-1)
	}
	return space(n, nfe+1), nil
}

// earlySteps lead away from x1 in strides that grow by one factor, over a
// thirty-second of the bridge, and from there to x0 at once: near x1 the network
// still decides, later it repeats what the state says.
func earlySteps(n, nfe int) ([]int, error) {
	grid, err := Steps(n, nfe)
	if err != nil {
		return nil, err
	}
	farthest := float64(max(n/32, nfe-1)) // so that nfe-1 indices have room
	for j, d := 1, 0; j < nfe; j++ {
		d = max(d+1, int(math.Round(math.Pow(farthest, float64(j)/float64(nfe-1)))))
		grid[nfe-j] = n - 1 - d
	}
	return grid, nil
}

// overshootSteps go from x1 to less than half of the indices in one stride, and
// from there evenly: where states are mostly x0, the network mends what is wrong
// with them and leaves the rest.
func overshootSteps(n, nfe int) ([]int, error) {
	grid, err := Steps(n, nfe)
	if err != nil {
		return nil, err
	}
	if nfe > 1 {
		farthest := max(int(0.45*float64(n-1)), nfe-1) // so that nfe indices have room
		copy(grid, space(farthest+1, nfe))
	}
	return grid, nil
}

// space emits count indices evenly spaced over 0 … m-1.
func space(m, count int) []int {
	stride := 1.0
	if count > 1 {
		stride = float64(m-1) / float64(count-1)
	}
	at := 0.0
	out := make([]int, count)
	for i := range out {
		out[i] = int(math.RoundToEven(at))
		at += stride
	}
	return out
}

// LogSteps lists, rising, the at most ten indices of steps that the reference
// records: a state is recorded when the walk arrives at one of them.
func LogSteps(steps []int) []int {
	n := len(steps) - 1
	log := space(n, min(n, 10))
	for i, j := range log {
		log[i] = steps[j]
	}
	return log
}

// dbimSteps is DBIM's own grid: M+1 times from 1-1e-3 to 1e-4, as indices, and
// before them the end at which it boots. It has nfe+1 entries for M = nfe-1
// steps after the boot.
func dbimSteps(n, nfe int) ([]int, error) {
	if nfe < 2 {
		return nil, fmt.Errorf("bridge: DBIM counts its boot and takes at least 2 evaluations, not %d", nfe)
	}
	m := nfe - 1
	out := make([]int, nfe+1)
	for i := range m + 1 {
		t := 1e-4 + (1-1e-3-1e-4)*float64(i)/float64(m)
		out[i] = int(math.RoundToEven(float64(n-1) * t))
	}
	out[nfe] = n - 1
	for i := range nfe {
		if out[i] >= out[i+1] {
			return nil, fmt.Errorf("bridge: %d evaluations: two of DBIM's indices fall together on a bridge of interval %d; take fewer", nfe, n)
		}
	}
	return out, nil
}
