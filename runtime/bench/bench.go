// Package bench times a network and its layers on any executor.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// Options is what to time.
type Options struct {
	Name      string          // of the network, for the rows
	Network   weights.Network //
	Weights   weights.Source  // nil: random ones, made as they are read
	W, H      int             // of the picture, multiples of the network's
	Device    string          // as for restore
	Threads   int             // 0: all
	Precision string          // as runtime.WithPrecision
	NoTune    bool            // as not runtime.WithTuning
	Rounds    int             // evaluations whose median counts; at least 1
	Layers    bool            // also every distinct layer
	Roof      bool            // also the device's roof, and each layer's share of it
	Kernels   bool            // also every kernel, and the device's roof
}

// Row is one figure. The first of a run is the whole network.
type Row struct {
	Name    string  `json:"name"`
	MS      float64 `json:"ms"`     // median of the rounds
	GFLOPS  float64 `json:"gflops"` // nominal arithmetic, as if no convolution were transformed, over the time
	Threads int     `json:"threads"`
	Device  string  `json:"device"`
	Peak    int64   `json:"peak_bytes"` // the process's, so far

	Count  int `json:"count"`  // how many layers of this kind the network has; MS is that of one
	Rounds int `json:"rounds"` // evaluations

	// With a roof: nominal arithmetic as a share of the measured peak, and the
	// time that the roof allows a layer over the time it took. That is the longer
	// of its nominal arithmetic at the peak and its tensors at the bandwidth of
	// memory; transformed convolutions and layers that lie in a cache may pass 1.
	OfPeak float64 `json:"of_peak,omitempty"`
	OfRoof float64 `json:"of_roof,omitempty"`
}

// Result is a run: its rows, and how long it took until the first evaluation
// was done.
type Result struct {
	Rows   []Row
	Device time.Duration // opening it
	Open   time.Duration // loading and compiling the network
	First  time.Duration // the first evaluation, with what is made for it

	Roof    device.Roof     // zero if it was not asked for
	Kernels []device.Kernel // of one evaluation
}

// Run times evaluations of a network.
func Run(ctx context.Context, o Options) (*Result, error) {
	s, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	res := &Result{Device: s.Found, Open: s.Opened}
	p := s.plan

	threads := s.device.Info().Threads
	row := func(name string, times []time.Duration, count int, flops int64) {
		slices.Sort(times)
		t := times[len(times)/2]
		res.Rows = append(res.Rows, Row{name, 1e3 * t.Seconds(), float64(flops) / t.Seconds() / 1e9, threads,
			s.Device(), Peak(), count, len(times), 0, 0})
	}
	if o.Roof || o.Kernels {
		if res.Roof, err = roofOf(ctx, s.device); err != nil {
			return nil, err
		}
	}
	rounds := max(1, o.Rounds)
	var whole []time.Duration
	for i := range rounds + 1 {
		start := time.Now()
		if _, err := s.Evaluate(ctx); err != nil {
			return nil, err
		}
		if i == 0 {
			res.First = time.Since(start)
		}
		if i > 0 || rounds == 1 { // the first touches all memory for the first time
			whole = append(whole, time.Since(start))
		}
		if rounds == 1 {
			break
		}
	}
	row(fmt.Sprintf("%s/%dx%d", o.Name, o.W, o.H), whole, 1, p.FLOPs())
	if o.Roof {
		res.Rows[0].OfPeak = 1e9 * res.Rows[0].GFLOPS / res.Roof.FLOPs
	}
	if o.Kernels {
		k, ok := s.program.(device.KernelProfiler)
		if !ok {
			return nil, errors.New("this device cannot time its kernels; a GPU can")
		}
		if res.Kernels, err = k.Kernels(ctx, s.in, s.y); err != nil {
			return nil, err
		}
	}
	if !o.Layers {
		return res, nil
	}
	f, ok := s.program.(device.Profiler)
	if !ok {
		return nil, errors.New("this device cannot time its layers")
	}
	layers, err := profile(ctx, f, p, s.in, s.y, rounds)
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		row(l.name, l.times, l.count, l.flops)
		if r := &res.Rows[len(res.Rows)-1]; o.Roof && l.op != nil {
			r.OfPeak, r.OfRoof = 1e9*r.GFLOPS/res.Roof.FLOPs, seconds(res.Roof, p, l.op)/(r.MS/1e3)
		}
	}
	return res, nil
}

// layer is all operators of a plan that do the same work.
type layer struct {
	name  string
	count int
	flops int64
	op    plan.Op         // one of them; nil: input and output
	times []time.Duration // of one operator, in every round the mean of all
}

// profile times the operators, the longest altogether first.
func profile(ctx context.Context, f device.Profiler, p *plan.Plan, in device.Input, y []float32, rounds int) ([]*layer, error) {
	byName := map[string]*layer{}
	var layers []*layer
	seen := map[plan.Op]bool{}
	for range rounds {
		sums := map[*layer]time.Duration{}
		err := f.Profile(ctx, in, y, func(op plan.Op, d time.Duration) {
			name, flops := "input and output", int64(0)
			if op != nil {
				name, flops = describe(p, op), op.FLOPs(p)
			}
			l := byName[name]
			if l == nil {
				l = &layer{name: name, flops: flops, op: op}
				byName[name] = l
				layers = append(layers, l)
			}
			if !seen[op] {
				seen[op] = true
				l.count++
			}
			sums[l] += d
		})
		if err != nil {
			return nil, err
		}
		for l, d := range sums {
			l.times = append(l.times, d/time.Duration(l.count))
		}
	}
	total := func(l *layer) (t time.Duration) {
		for _, d := range l.times {
			t += d * time.Duration(l.count)
		}
		return t
	}
	slices.SortStableFunc(layers, func(a, b *layer) int { return cmp.Compare(total(b), total(a)) })
	return layers, nil
}
