package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
)

// fleet is what is put in; times are in seconds but for mtbf.
type fleet struct {
	pictures, seconds, spread, queue, mtbf, restart, wait float64
	nodes                                                 int
	seed                                                  uint64
}

// outcome is what comes out.
type outcome struct {
	hours    float64
	busy     float64 // part of the nodes' time
	again    float64 // pictures that a failure lost on their way
	failures float64
}

// node is a worker: when it is free next, and when it fails next.
type node struct{ free, fails float64 }

type nodes []node

func (h nodes) Len() int           { return len(h) }
func (h nodes) Less(i, j int) bool { return h[i].free < h[j].free }
func (h nodes) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *nodes) Push(any)          { panic("nodes neither come nor go") }
func (h *nodes) Pop() any          { panic("nodes neither come nor go") }

// most is how many pictures are followed one by one. Beyond them the rate of
// the second half goes on: every node has long been through its first picture.
const most = 4e6

// run follows every job: the node that is free first takes the next one as soon
// as the queue can give it out. A job whose node fails is given out again after
// the wait; that is a node's time lost, and the end may have to wait for it.
func (f fleet) run() (o outcome) {
	r := rand.New(rand.NewPCG(f.seed, 8))
	each := f.seconds / math.Exp(f.spread*f.spread/2) // so that seconds is the mean
	exp := func(mean float64) float64 { return r.ExpFloat64() * mean }
	h := make(nodes, f.nodes)
	for i := range h {
		h[i].fails = exp(f.mtbf * 3600)
	}
	n := math.Min(f.pictures, most)
	var given, end, half, worked float64 // given: when the queue may give out the next
	var lost []float64                   // when they come again, in this order
	for done := 0.0; done < n; {
		k := &h[0]
		at := math.Max(k.free, given)
		if len(lost) > 0 && (lost[0] <= at || done+float64(len(lost)) >= n) {
			at = math.Max(at, lost[0])
			lost = lost[1:]
		}
		given = math.Max(given, at) + 1/f.queue
		took := each * math.Exp(f.spread*r.NormFloat64())
		if at+took > k.fails {
			at = math.Max(at, k.fails) // the time up to here is lost
			lost = append(lost, at+f.wait)
			o.again++
			o.failures++
			k.free = at + f.restart
			k.fails = k.free + exp(f.mtbf*3600)
		} else {
			k.free = at + took
			worked += took
			end = math.Max(end, k.free)
			done++
			if done == math.Floor(n/2) {
				half = at
			}
		}
		heap.Fix(&h, 0)
	}
	o.busy = worked / (end * float64(f.nodes))
	if f.pictures > n {
		rate := (n - math.Floor(n/2)) / (end - half)
		more := (f.pictures - n) / rate
		o.again *= (end + more) / end
		o.failures *= (end + more) / end
		o.busy = math.Min(1, rate*f.seconds/float64(f.nodes))
		end += more
	}
	o.hours = end / 3600
	return o
}
