package runtime

import (
	"fmt"
	"slices"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Settings are what options come to with a pack's defaults filled in.
type Settings struct {
	Task    string // as asked for, or the pack's
	Sampler string
	Steps   int // evaluations of the network
	Seed    uint64
	Clip    bool
	LastX0  bool
}

// Resolve checks options against a pack without opening a device or a picture,
// and tells what they come to. The errors are those of Restore; what depends on
// the picture, as a mask's size does, is not checked.
func Resolve(h weights.Header, opts ...Option) (Settings, error) {
	c, err := unet.Parse(h.Network)
	if err != nil {
		return Settings{}, err
	}
	s, err := bridge.NewSchedule(bridge.Config(h.Bridge))
	if err != nil {
		return Settings{}, err
	}
	o := apply(opts)
	o.mask = nil
	if o.tile == 0 {
		o.tile = -1 // what 0 comes to depends on the device
	}
	k, err := (&Model{header: h, schedule: s, config: c}).newWalk(o, 1, 1)
	if err != nil {
		return Settings{}, err
	}
	r := Settings{Task: o.task, Sampler: k.table.Sampler.String(), Steps: len(k.table.Steps), Seed: o.seed, Clip: k.clip, LastX0: k.lastX0}
	if r.Task == "" {
		r.Task = k.task.Name
	}
	return r, nil
}

// Tensors lists the tensors of a network: what a source of its weights holds.
func Tensors(n weights.Network) ([]weights.Info, error) {
	c, err := unet.Parse(n)
	if err != nil {
		return nil, err
	}
	p, err := unet.Build(n, 1, c.Multiple(), c.Multiple())
	if err != nil {
		return nil, err
	}
	var list []weights.Info
	for _, w := range p.Params {
		list = append(list, weights.Info{Name: w.Name, Shape: w.Shape, DType: weights.F32})
	}
	return list, nil
}

// CheckWeights tells whether src holds exactly the tensors of a network, by
// name and shape, without reading them.
func CheckWeights(n weights.Network, src weights.Source) error {
	want, err := Tensors(n)
	if err != nil {
		return err
	}
	have := map[string][]int{}
	for _, t := range src.Tensors() {
		have[t.Name] = t.Shape
	}
	for _, w := range want {
		shape, ok := have[w.Name]
		if !ok {
			return fmt.Errorf("the file has no tensor %q, which this network configuration needs", w.Name)
		}
		if !slices.Equal(shape, w.Shape) {
			return fmt.Errorf("tensor %q has the shape %v; this network configuration needs %v", w.Name, shape, w.Shape)
		}
		delete(have, w.Name)
	}
	for _, t := range src.Tensors() {
		if _, left := have[t.Name]; left {
			return fmt.Errorf("the file has a tensor %q, which this network configuration does not", t.Name)
		}
	}
	return nil
}
