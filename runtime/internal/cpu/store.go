//go:build !js

package cpu

import (
	"context"
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// store holds the tensors of a network in training. Each set lies on end, first
// what Muon does not move; weights of layers are in segments of 16×16, as direct
// convolutions read them. From the weights are packed what convolutions read
// transformed, and what leads gradients back.
type store struct {
	params  []plan.ParamInfo
	index   map[string]plan.Param
	flat    []packing // how the tensors lie
	offsets []int     // in floats
	total   int       // floats of a set

	matrices []device.Matrix
	plain    int // floats of a set before the matrices

	packed  []packing // what convolutions read: the network's own, then those turned
	places  []int64   // in bytes of extra; -1: not needed, or read as it lies
	tensors kernels.Memory
	extra   kernels.Memory
	steps   []step // pack the weights
	args    kernels.Memory
}

// newStore lays out the parameters of a plan, whose convolutions may be tiled.
func newStore(p *plan.Plan, tiled bool) *store {
	flat, _ := policy{}.pack(p, kernels.F32)
	s := &store{params: p.Params, index: map[string]plan.Param{}, flat: flat, offsets: make([]int, len(p.Params)), matrices: device.Matrices(p)}
	moved := map[plan.Param]bool{}
	for _, m := range s.matrices {
		moved[m.W] = true
	}
	for _, matrices := range []bool{false, true} {
		for i, w := range p.Params {
			if moved[plan.Param(i)] == matrices {
				s.index[w.Name] = plan.Param(i)
				s.offsets[i] = s.total
				s.total += int(flat[i].bytes / 4)
			}
		}
		if !matrices {
			s.plain = s.total
		}
	}
	transformable, tiles := map[plan.Param]bool{}, map[plan.Param]bool{}
	for _, op := range p.Ops {
		if o, ok := op.(*plan.Conv); ok && winogradable(o) {
			transformable[o.W] = true
		}
		if o, ok := op.(*plan.Conv); ok && tiled && tileable(o, flat[o.W]) {
			tiles[o.W] = true
		}
	}
	for _, turn := range []bool{false, true} {
		for i, k := range flat {
			if turn {
				k.in, k.out = k.out, k.in
			}
			k.tiled = tiles[plan.Param(i)]
			if !k.tiled && transformable[plan.Param(i)] && blocks(k.in)*blocks(k.out) <= defaultPolicy.fused {
				k.tile = 4
			}
			if k.taps > 0 {
				k.bytes = k.size()
			}
			s.packed = append(s.packed, k)
		}
	}
	return s
}

// alloc gets the memory, with the turned weights that are needed.
func (s *store) alloc(set kernels.Set, turned map[plan.Param]bool) (err error) {
	if s.tensors, err = set.Alloc(4 * int64(device.Tensors) * int64(s.total)); err != nil {
		return err
	}
	var bytes int64
	for i, k := range s.packed {
		w := plan.Param(i)
		own := i < len(s.params)
		if k.taps == 0 || own && k.tile == 0 && !k.tiled || !own && !turned[w-plan.Param(len(s.params))] {
			s.places = append(s.places, -1)
			continue
		}
		s.places = append(s.places, bytes)
		bytes += k.bytes
	}
	if s.extra, err = set.Alloc(bytes); err != nil {
		return err
	}
	return s.bind(set)
}

// bind makes the steps that pack.
func (s *store) bind(set kernels.Set) (err error) {
	const each = 512 // bytes of a step's arguments
	if s.args, err = set.Alloc(each * int64(len(s.packed))); err != nil {
		return err
	}
	for i, place := range s.places {
		if place < 0 {
			continue
		}
		k, at := s.packed[i], each*int64(len(s.steps))
		to, w := s.extra.Addr+place, plan.Param(i%len(s.params))
		from := s.tensor(device.Weight, w).Addr
		in, out := blocks(k.in), blocks(k.out)
		block := int64(in * kernels.Block * kernels.Block)
		st := step{args: s.args.Addr + at, items: in * out}
		if k.tiled {
			t := kernels.Tile{W: from, To: to, Out: int64(out), In: int64(in), Taps: int64(k.taps)}
			if i >= len(s.params) {
				t.Out, t.In, t.Turned = t.In, t.Out, 1
			}
			kernels.Put(s.args, at, &t)
			st.kernel, st.items = kernels.TileWeights, pairs(k.in)*out
		} else if i < len(s.params) {
			a := kernels.Staged{Tile: int64(k.tile), U: to, UBlock: block, UStep: int64(out) * block}
			a.In.Blocks, a.Weights = int64(in), from
			kernels.Put(s.args, at, &a)
			st.kernel = kernels.StageWeights
		} else {
			kernels.Put(s.args, at, &kernels.Turn{W: from, To: to, Out: int64(in), In: int64(out), Taps: int64(k.taps), Tile: int64(k.tile),
				ToStep: int64(out) * block, ToBlock: block})
			st.kernel = kernels.TurnWeights
		}
		s.steps = append(s.steps, st)
	}
	return nil
}

// pack brings what is packed up to date.
func (s *store) pack(t *team, threads int) {
	for _, st := range s.steps {
		t.run(threads, st.kernel, st.args, st.items)
	}
}

func (s *store) free(set kernels.Set) {
	set.Free(s.tensors)
	set.Free(s.extra)
	set.Free(s.args)
}

// all is the memory of the tensors of all parameters.
func (s *store) all(what device.Tensor) kernels.Memory {
	return s.tensors.Slice(4 * int64(what) * int64(s.total))
}

// tensor is the memory of a parameter's tensor.
func (s *store) tensor(what device.Tensor, w plan.Param) kernels.Memory {
	return s.all(what).Slice(4 * int64(s.offsets[w]))
}

// weight is what kernels read of a parameter, or of a turned one.
func (s *store) weight(w plan.Param) kernels.Memory {
	if place := s.places[w]; place >= 0 {
		return s.extra.Slice(place)
	}
	return s.tensor(device.Weight, w)
}

// load reads every weight; the averages start as they are.
func (s *store) load(ctx context.Context, src weights.Source) error {
	for _, p := range s.params {
		if err := ctx.Err(); err != nil {
			return err
		}
		v := make([]float32, p.Len())
		if err := src.ReadF32(p.Name, v); err != nil {
			return err
		}
		for _, what := range []device.Tensor{device.Weight, device.Average} {
			if err := s.Set(p.Name, what, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// each calls f with the place of every element of a parameter in its tensor.
func (s *store) each(w plan.Param, f func(i, at int)) {
	k := s.flat[w]
	if k.taps == 0 {
		for i := range s.params[w].Len() {
			f(i, i)
		}
		return
	}
	const b = kernels.Block
	for o := range k.out {
		for c := range k.in {
			for t := range k.taps {
				f((o*k.in+c)*k.taps+t, ((o/b*blocks(k.in)+c/b)*k.taps+t)*b*b+c%b*b+o%b)
			}
		}
	}
}

func (s *store) Get(name string, what device.Tensor, dst []float32) error {
	w, err := s.find(name, what, len(dst))
	if err != nil {
		return err
	}
	t := s.tensor(what, w).Floats()
	s.each(w, func(i, at int) { dst[i] = t[at] })
	return nil
}

func (s *store) Set(name string, what device.Tensor, src []float32) error {
	w, err := s.find(name, what, len(src))
	if err != nil {
		return err
	}
	t := s.tensor(what, w).Floats()
	s.each(w, func(i, at int) { t[at] = src[i] })
	return nil
}

func (s *store) find(name string, what device.Tensor, n int) (plan.Param, error) {
	w, ok := s.index[name]
	if !ok || what < 0 || what >= device.Tensors {
		return 0, fmt.Errorf("cpu: the network has no parameter %q", name)
	}
	if p := s.params[w]; p.Len() != n {
		return 0, fmt.Errorf("cpu: %s has %v elements, not %d", name, p.Shape, n)
	}
	return w, nil
}
