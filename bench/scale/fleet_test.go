package main

import (
	"math"
	"testing"
)

var plain = fleet{pictures: 20000, nodes: 10, seconds: 0.3, spread: 0.5, queue: 1e6, mtbf: 1e9, restart: 120, wait: 30, seed: 1}

func TestWithoutTroubleItIsArithmetic(t *testing.T) {
	r := plain.run()
	if want := 20000 * 0.3 / 10 / 3600; math.Abs(r.hours-want) > 0.02*want || r.busy < 0.97 || r.again != 0 {
		t.Errorf("%+v; want %.3f hours", r, want)
	}
	if again := plain.run(); again != r {
		t.Errorf("the same seed gives %+v and %+v", r, again)
	}
	slow := plain
	slow.queue = 5
	if r := slow.run(); math.Abs(r.hours-20000.0/5/3600) > 0.01 || r.busy > 0.2 {
		t.Errorf("a slow queue: %+v", r)
	}
}

func TestFailuresCostTime(t *testing.T) {
	f := plain
	f.mtbf, f.pictures = 0.05, 100000 // a node fails every three minutes, and takes two to come back
	r, want := f.run(), 100000*0.3/10/3600*(180+120)/180
	if r.again == 0 || math.Abs(r.hours-want) > 0.1*want {
		t.Errorf("%+v; want %.2f hours", r, want)
	}
}

// TestTheRateGoesOn compares what is extended with what is followed.
func TestTheRateGoesOn(t *testing.T) {
	f := plain
	f.mtbf, f.pictures = 1, most
	whole := f.run()
	f.pictures = 2 * most
	if twice := f.run(); math.Abs(twice.hours-2*whole.hours) > 0.02*twice.hours || math.Abs(twice.again-2*whole.again) > 0.1*twice.again {
		t.Errorf("%+v is not twice %+v", twice, whole)
	}
}
