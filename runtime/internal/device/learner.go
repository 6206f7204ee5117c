package device

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// Teacher is a Device that can train.
type Teacher interface {
	Device
	// Learn loads a network with everything that training adds to it, for
	// batches of several shapes: plans with the same parameters in the same
	// order. The moving average starts as the weights.
	Learn(ctx context.Context, shapes []*plan.Gradient, src weights.Source) (Learner, error)
}

// Learner is a network in training: its weights, their gradients, AdamW's
// moments and the moving average, on the device. It is used by one goroutine.
type Learner interface {
	// Batch evaluates the network, its loss and the gradients, which come on top
	// of those of the batches since the last Update, by the plan of a shape.
	Batch(ctx context.Context, shape int, in Input, t Target) (loss float64, err error)
	// Loss evaluates the network and its loss alone.
	Loss(ctx context.Context, shape int, in Input, t Target) (float64, error)
	// Norm is the length of all gradients together.
	Norm() (float64, error)
	// Forget clears the gradients.
	Forget() error
	// Update makes the step and clears the gradients.
	Update(u Update) error
	// Get copies one of the tensors of a parameter, Set replaces it.
	Get(name string, what Tensor, dst []float32) error
	Set(name string, what Tensor, src []float32) error
	Close() error
}

// Target is what a batch should give: with d = mask·(y−label) the loss is
// Σ d²·Weight, or Σ (√(d²+ε²)−ε)·Weight where ε = Charbonnier is above 0. Weight
// has one value a sample, 1/elements for a mean.
type Target struct {
	Label       []float32 // as the output
	Mask        []float32 // N·H·W, or nil
	Weight      []float64 // N
	Charbonnier float64   // ε, in units of the output; 0: squares
}

// Update is a step of AdamW with decoupled decay, or of Muon where there are
// matrices, and of the moving average.
type Update struct {
	Step                     int     // counted from 1
	Rate                     float64 // of learning, now
	Beta1, Beta2, Eps, Decay float64
	Scale                    float64 // of the gradients: 1/batches for a mean, and what clipping asks for
	Average                  float64 // decay of the moving average, now
	Muon                     float64 // momentum of what Matrices lists; 0: AdamW moves everything
}

// Tensor is one of a parameter's tensors.
type Tensor int

const (
	Weight Tensor = iota
	Grad
	Moment1
	Moment2
	Average
	Tensors // how many there are
)

// SameParams compares the parameters of a learner's plans.
func SameParams(shapes []*plan.Gradient) error {
	if len(shapes) == 0 {
		return errors.New("device: there is no plan to learn by")
	}
	for _, g := range shapes[1:] {
		for i, p := range shapes[0].Params {
			if len(g.Params) != len(shapes[0].Params) || g.Params[i].Name != p.Name || !slices.Equal(g.Params[i].Shape, p.Shape) {
				return errors.New("device: the plans to learn by are of different networks")
			}
		}
	}
	return nil
}

// Of is the loss of a difference, not weighed, and its derivative.
func (t *Target) Of(d float64) (loss, slope float64) {
	if t.Charbonnier == 0 {
		return d * d, 2 * d
	}
	root := math.Sqrt(d*d + t.Charbonnier*t.Charbonnier)
	return root - t.Charbonnier, d / root
}

// Check compares a target with the network's output.
func (t Target) Check(s plan.Shape) error {
	if len(t.Label) != s.Len() || len(t.Weight) != s.N || (t.Mask != nil && len(t.Mask) != s.N*s.H*s.W) {
		return fmt.Errorf("device: the network gives %v; the label has %d elements, the mask %d, and there are %d weights",
			s, len(t.Label), len(t.Mask), len(t.Weight))
	}
	return nil
}
