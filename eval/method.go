package eval

import (
	"context"
	"errors"
	"fmt"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
	"github.com/i2sb-go/i2sb/eval/classical"
	"github.com/i2sb-go/i2sb/runtime"
)

// Method makes a picture of a degraded one.
type Method struct {
	Name    string
	Sampler string // of a network; "": the pack's default
	Steps   int    // of a network; 0: the pack's default
	Restore func(ctx context.Context, s Sample) (*bridge.Image, error)
	// From, if set, is a fingerprint of what else than the sample decides the
	// result.
	From func(s Sample) (string, error)
}

// ErrNotFor says that a method has no answer to a degradation; the sample is
// left out of its means.
var ErrNotFor = errors.New("not a method for this degradation")

// Sample is a degraded crop.
type Sample struct {
	Crop
	Task string
	Op   degrade.Operator // what was done
	X1   *bridge.Image
	Mask []uint8 // 255 in the hole; nil without one
	Seed uint64

	print string // fingerprint of degradation and X1
}

// Degraded is the method that leaves a picture alone.
func Degraded() Method {
	return Method{Name: "degraded", Restore: func(_ context.Context, s Sample) (*bridge.Image, error) { return s.X1, nil }}
}

// Network restores with a model.
func Network(m *runtime.Model, sampler string, steps int, opts ...runtime.Option) Method {
	pack := m.Header().ID()
	return Method{Name: "network", Sampler: sampler, Steps: steps, Restore: func(ctx context.Context, s Sample) (*bridge.Image, error) {
		opts := append([]runtime.Option{runtime.WithTask(s.Task), runtime.WithSeed(s.Seed)}, opts...)
		if sampler != "" {
			opts = append(opts, runtime.WithSampler(sampler))
		}
		if steps > 0 {
			opts = append(opts, runtime.WithSteps(steps))
		}
		if s.Mask != nil {
			opts = append(opts, runtime.WithMask(&runtime.Mask{W: s.X1.W, H: s.X1.H, Values: s.Mask}))
		}
		return m.RestoreTensor(ctx, s.X1, opts...)
	}, From: func(Sample) (string, error) { return pack + " on " + m.Device(), nil }}
}

// Classical are the methods of package classical.
func Classical() []Method {
	var methods []Method
	for _, c := range classical.Methods {
		methods = append(methods, Method{Name: c.Name, Restore: func(ctx context.Context, s Sample) (*bridge.Image, error) {
			y, err := c.Restore(ctx, s.Op, s.X1, s.Mask)
			if errors.Is(err, classical.ErrNotFor) {
				return nil, ErrNotFor
			}
			return y, err
		}})
	}
	return methods
}

// Distinct tells of two methods that tables could not tell apart.
func Distinct(methods []Method) error {
	type name struct {
		method, sampler string
		steps           int
	}
	seen := map[name]bool{}
	for _, m := range methods {
		n := name{m.Name, m.Sampler, m.Steps}
		if seen[n] {
			return fmt.Errorf("%s is there twice; leave one out, or rename the folder", m.Name)
		}
		seen[n] = true
	}
	return nil
}
