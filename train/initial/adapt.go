package initial

import (
	"fmt"
	"maps"
	"slices"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/weights"
)

// Adapt fits the weights of one network to another that differs in its inputs,
// its outputs or its labels: a condition's new input channels are zero, so that
// the network begins as what it was; more inputs or outputs than are wanted, an
// ADM head's variances among them, are cut; an embedding of labels that src has
// not is zero. notes say in words what was done. Everything else must have the
// same shape.
func Adapt(src weights.Source, n weights.Network) (fitted weights.Source, notes []string, err error) {
	src = weights.CutVariance(src)
	want, err := runtime.Tensors(n)
	if err != nil {
		return nil, nil, err
	}
	have := map[string]weights.Info{}
	for _, t := range src.Tensors() {
		have[t.Name] = t
	}
	left := maps.Clone(have)
	for _, t := range want {
		old, ok := have[t.Name]
		switch {
		case ok && slices.Equal(old.Shape, t.Shape):
		case !ok && t.Name == "label_emb.weight":
			notes = append(notes, "the embedding of labels begins as zero")
		case !ok:
			return nil, nil, fmt.Errorf("it has no tensor %q: it is of another network", t.Name)
		case t.Name == "input_blocks.0.0.weight" && sameBut(old.Shape, t.Shape, 1):
			if old.Shape[1] < t.Shape[1] {
				notes = append(notes, fmt.Sprintf("%d new input channels begin as zero", t.Shape[1]-old.Shape[1]))
			} else {
				notes = append(notes, fmt.Sprintf("%d of %d input channels are left out", old.Shape[1]-t.Shape[1], old.Shape[1]))
			}
		case (t.Name == "out.2.weight" || t.Name == "out.2.bias") && sameBut(old.Shape, t.Shape, 0) && old.Shape[0] > t.Shape[0]:
			if t.Name == "out.2.weight" {
				notes = append(notes, fmt.Sprintf("%d of %d outputs are left out", old.Shape[0]-t.Shape[0], old.Shape[0]))
			}
		default:
			return nil, nil, fmt.Errorf("tensor %q is of %v, this network needs %v: leave out the preset and [network] to take the size of what it starts from", t.Name, old.Shape, t.Shape)
		}
		delete(left, t.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if name != "label_emb.weight" {
			return nil, nil, fmt.Errorf("it has a tensor %q too many: it is of another network", name)
		}
		notes = append(notes, "the embedding of labels is left out")
	}
	return &adapted{src, want, have}, notes, nil
}

// sameBut tells whether shapes differ in one dimension only.
func sameBut(a, b []int, dim int) bool {
	if len(a) != len(b) || len(a) <= dim {
		return false
	}
	for i := range a {
		if i != dim && a[i] != b[i] {
			return false
		}
	}
	return true
}

type adapted struct {
	weights.Source
	want []weights.Info
	from map[string]weights.Info
}

func (a *adapted) Tensors() []weights.Info { return a.want }

// ReadF32 implements weights.Source.
func (a *adapted) ReadF32(name string, dst []float32) error {
	i := slices.IndexFunc(a.want, func(t weights.Info) bool { return t.Name == name })
	if i < 0 || a.want[i].Len() != len(dst) {
		return fmt.Errorf("initial: there is no tensor %q of %d elements", name, len(dst))
	}
	old, ok := a.from[name]
	if !ok {
		clear(dst)
		return nil
	}
	if old.Len() == len(dst) {
		return a.Source.ReadF32(name, dst)
	}
	all := make([]float32, old.Len())
	if err := a.Source.ReadF32(name, all); err != nil {
		return err
	}
	if name != "input_blocks.0.0.weight" { // fewer outputs
		copy(dst, all)
		return nil
	}
	clear(dst)
	out := old.Shape[0]
	each, was := len(dst)/out, len(all)/out
	for o := range out {
		copy(dst[o*each:(o+1)*each], all[o*was:(o+1)*was])
	}
	return nil
}
