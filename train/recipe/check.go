package recipe

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/weights"
)

// Complete fills in the network, if the recipe does not say which, and how many
// channels it reads. from is that of Init, with its bridge, or nil.
func (r *Recipe) Complete(from *weights.Header) error {
	if r.Network.NumChannels == 0 {
		switch {
		case r.Preset == "" && from != nil:
			r.Network = from.Network
			r.Network.LearnSigma = false
		default:
			if r.Preset == "" {
				r.Preset = "small"
			}
			n, err := Preset(r.Preset)
			if err != nil {
				return err
			}
			r.Network = n
		}
	}
	if from != nil && !alike(r.Network, from.Network) {
		return fmt.Errorf("init is of a network with other heads of attention; leave out the preset and [network]")
	}
	n := &r.Network
	if n.OutChannels == 0 || n.OutChannels == 6 {
		n.OutChannels = 3
	}
	n.InChannels = n.OutChannels
	if r.Bridge.CondX1 {
		n.InChannels *= 2
	}
	return r.check()
}

// alike tells whether weights mean the same in both networks, where their shapes
// do not tell.
func alike(a, b weights.Network) bool {
	heads := a.NumHeadChannels == b.NumHeadChannels && (a.NumHeadChannels > 0 || a.NumHeads == b.NumHeads && a.NumHeadsUpsample == b.NumHeadsUpsample)
	return heads && a.UseNewAttentionOrder == b.UseNewAttentionOrder && a.UseScaleShiftNorm == b.UseScaleShiftNorm
}

// check finds what cannot be meant; messages name the recipe's own words.
func (r *Recipe) check() error {
	if (r.Data.Photos == "") == (r.Data.Pairs == "") {
		return fmt.Errorf("give either photos or pairs, a folder to train on")
	}
	if err := r.checkOnly(); err != nil {
		return err
	}
	if r.Network.OutChannels != 1 && r.Network.OutChannels != 3 {
		return fmt.Errorf("out_channels is %d; pictures have 1 or 3", r.Network.OutChannels)
	}
	if _, err := bridge.NewSchedule(bridge.Config(r.Bridge)); err != nil {
		return err
	}
	if r.Data.Photos != "" {
		if _, err := data.NewMixture(r.Degradations); err != nil {
			return err
		}
		for _, t := range r.Validation.Tasks {
			if _, err := data.Parse(t); err != nil {
				return err
			}
		}
	}
	for _, p := range r.Data.Exclude {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("exclude: %q is no pattern of file names", p)
		}
	}
	if len(r.Crops) == 0 {
		return fmt.Errorf("no size of crops is given")
	}
	for i, c := range r.Crops {
		if c.Size < 1 || c.Batch < 1 || !(c.Share > 0) {
			return fmt.Errorf("crops of %d, %d at once, share %g: all three must be above 0", c.Size, c.Batch, c.Share)
		}
		if slices.ContainsFunc(r.Crops[:i], func(d Crop) bool { return d.Size == c.Size }) {
			return fmt.Errorf("there are two entries for crops of %d", c.Size)
		}
	}
	for _, n := range r.Validation.NFE {
		if n < 1 || n >= r.Bridge.Interval {
			return fmt.Errorf("nfe %d: the bridge has from 1 to %d steps", n, r.Bridge.Interval-1)
		}
	}
	if err := oneOf("mask", r.Loss.Mask, MaskOfficial, MaskArea, MaskNone); err != nil {
		return err
	}
	if err := oneOf("optimizer", r.Optimizer.Method, AdamW, Muon); err != nil {
		return err
	}
	if err := oneOf("schedule", r.Optimizer.Schedule, Cosine, Step); err != nil {
		return err
	}
	return r.checkNumbers()
}

// checkOnly finds the network's layers, and those that are to learn.
func (r *Recipe) checkOnly() error {
	tensors, err := runtime.Tensors(r.Network)
	if err != nil {
		return err
	}
	for _, p := range r.Optimizer.Only {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("only: %q is no pattern of names", p)
		}
		one := Optimizer{Only: []string{p}}
		if !slices.ContainsFunc(tensors, func(t weights.Info) bool { return one.Learns(runtime.Layer(t.Name)) }) {
			return fmt.Errorf("only: the network has no layer like %q; its layers are called %s and so on", p, strings.Join(someLayers(tensors), ", "))
		}
	}
	if len(r.Optimizer.Only) > 0 && r.Optimizer.Decay > 0 {
		return fmt.Errorf("decay is %g, and layers that do not learn are to stay as they are; take 0", r.Optimizer.Decay)
	}
	return nil
}

// someLayers are the first few.
func someLayers(tensors []weights.Info) []string {
	var names []string
	for _, t := range tensors {
		if n := runtime.Layer(t.Name); !slices.Contains(names, n) && len(names) < 6 {
			names = append(names, n)
		}
	}
	return names
}

func oneOf(what, value string, list ...string) error {
	if slices.Contains(list, value) {
		return nil
	}
	return fmt.Errorf("%s is %q; it can be %s", what, value, strings.Join(list, ", "))
}

// checkNumbers holds every number against its range.
func (r *Recipe) checkNumbers() error {
	o := r.Optimizer
	for _, n := range []struct {
		name          string
		value, lo, hi float64
	}{
		{"steps", float64(r.Steps), 1, 1e9},
		{"hours", r.Hours, 0, 1e6},
		{"area", r.Data.Area, 0, 4},
		{"cache_mb", float64(r.Data.CacheMB), 0, 1 << 24},
		{"start", r.Times.Start, 0, 1},
		{"near", r.Times.Near, 0, 1},
		{"from", r.Times.From, 0, math.Nextafter(1, 0)},
		{"sigma", r.Loss.Sigma, 0, 10},
		{"charbonnier", r.Loss.Charbonnier, 0, 1e3},
		{"rate", o.Rate, 1e-12, 1},
		{"last", o.Last, 0, 1},
		{"warm", float64(o.Warm), 0, 1e9},
		{"hold", o.Hold, 0, 1},
		{"factor", o.Factor, 1e-6, 1},
		{"every", float64(o.Every), 1, 1e9},
		{"decay", o.Decay, 0, 10},
		{"clip", o.Clip, 0, 1e9},
		{"average", o.Average, 1e-9, math.Nextafter(1, 0)},
		{"accumulate", float64(o.Accumulate), 1, 1e6},
		{"memory_mb", float64(o.MemoryMB), 0, 1 << 24},
		{"split", r.Validation.Split, 0, 0.9},
		{"side", float64(r.Validation.Side), 16, 1 << 14},
		{"validation.every", float64(r.Validation.Every), 0, 1e9},
		{"grid", float64(r.Validation.Grid), 0, 64},
		{"keep.every", float64(r.Keep.Every), 1, 1e9},
		{"minutes", float64(r.Keep.Minutes), 0, 1e6},
		{"keep.last", float64(r.Keep.Last), 0, 1e6},
		{"log", float64(r.Keep.Log), 1, 1e9},
	} {
		if !(n.value >= n.lo && n.value <= n.hi) {
			return fmt.Errorf("%s is %g; it can be from %g to %g", n.name, n.value, n.lo, n.hi)
		}
	}
	return nil
}

// RateOf is the rate of learning at each step, counted from 1.
func (r *Recipe) RateOf() func(step int) float64 {
	o := r.Optimizer
	if o.Schedule == Step {
		return runtime.StepRate(o.Rate, o.Factor, o.Every)
	}
	hold := int(o.Hold * float64(r.Steps))
	fall := runtime.CosineRate(o.Rate, o.Last, r.Steps-hold, 0)
	rise := runtime.CosineRate(o.Rate, o.Last, r.Steps, o.Warm)
	return func(step int) float64 {
		switch {
		case step <= o.Warm || hold == 0:
			return rise(step)
		case step <= hold:
			return o.Rate
		}
		return fall(step - hold)
	}
}
