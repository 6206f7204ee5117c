package runtime

import (
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/weights"
)

// Part is one of the sets of tensors that a Trainer holds.
type Part int

const (
	Weights   Part = iota
	Gradients      // the sum since the last Step
	Moments1       // of AdamW
	Moments2
	Averages // the moving average of the weights
)

// Source reads one of the sets, for a pack or a checkpoint. It reads what is
// there when it is asked.
func (t *Trainer) Source(p Part) weights.Source { return trained{t, device.Tensor(p)} }

// Resume goes on from a saved state: the sets in order, and the number of
// steps.
func (t *Trainer) Resume(steps int, weights, moments1, moments2, averages weights.Source) error {
	for part, src := range map[Part]reader{Weights: weights, Moments1: moments1, Moments2: moments2, Averages: averages} {
		if err := t.set(part, src); err != nil {
			return err
		}
	}
	t.steps = steps
	return nil
}

// Batches is how many batches there were since the last Step, one of another
// shape counting by its elements beside one of the first.
func (t *Trainer) Batches() float64 { return t.batches }

// SetGradients replaces the sum of the gradients since the last Step, and by
// how many Batches Step divides it. Trainers in several processes make the same
// step when each is given the sum of all their Gradients and Batches.
func (t *Trainer) SetGradients(sum weights.Source, batches float64) error {
	if !(batches > 0) {
		return fmt.Errorf("runtime: gradients of %g batches", batches)
	}
	t.batches = batches
	return t.set(Gradients, sum)
}

// reader is what a set is read from.
type reader interface {
	ReadF32(string, []float32) error
}

func (t *Trainer) set(part Part, src reader) error {
	for _, info := range t.params() {
		v := make([]float32, info.Len())
		if err := src.ReadF32(info.Name, v); err != nil {
			return err
		}
		if err := t.learner.Set(info.Name, device.Tensor(part), v); err != nil {
			return err
		}
	}
	return nil
}

// trained is a part of a trainer as a source.
type trained struct {
	t    *Trainer
	part device.Tensor
}

func (s trained) Tensors() []weights.Info {
	var list []weights.Info
	for _, p := range s.t.params() {
		list = append(list, weights.Info{Name: p.Name, Shape: p.Shape, DType: weights.F32})
	}
	return list
}

func (s trained) ReadF32(name string, dst []float32) error {
	return s.t.learner.Get(name, s.part, dst)
}

func (s trained) Close() error { return nil }
