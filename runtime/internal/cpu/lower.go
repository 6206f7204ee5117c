package cpu

import (
	"math"
	"unsafe"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

// apart tells whether two tensors can be read as one where they lie: the
// first must fill its last block.
func apart(first, _ plan.Shape) bool { return first.C%kernels.Block == 0 }

// step is one kernel over all its items, and what Go does with the memory
// before or after it.
type step struct {
	op            plan.Op // nil for input and output
	kernel        kernels.Kernel
	args          int64 // address
	items         int   // 0: no kernel
	before, after func(f []float32)
	bind          func(l *lowered)
}

// lowered is a plan as kernel calls. Its memory holds the activations, then
// what single operators need while they run, then the arguments.
type lowered struct {
	p       *plan.Plan
	pk      []packing
	policy  policy
	threads int
	offsets []int // of values, in floats
	arena   int   // floats of all values
	work    int   // floats that any operator needs besides
	args    int64 // bytes of all arguments
	scratch int   // floats that a thread needs
	steps   []step
	ends    [2]step // to and from planar tensors at the memory's place planar
	planar  int

	memory    kernels.Memory
	arguments kernels.Memory
	param     func(plan.Param) kernels.Memory
}

func (l *lowered) bytes() int64 { return 4*int64(l.arena+l.work) + l.args }

// size is how many floats a value takes.
func size(p *plan.Plan) func(plan.Value) int {
	affine := map[plan.Value]bool{}
	for _, op := range p.Ops {
		if n, ok := op.(*plan.Norm); ok {
			affine[n.Y] = true
		}
	}
	return sizes(p, affine)
}

// sizes is size where it is known which values are scales and shifts.
func sizes(p *plan.Plan, affine map[plan.Value]bool) func(plan.Value) int {
	return func(v plan.Value) int {
		s := p.Shape(v)
		if affine[v] { // scales, then shifts, each on whole blocks
			return s.N * 2 * blocks(s.C/2) * kernels.Block
		}
		return s.N * blocks(s.C) * kernels.Block * s.H * s.W
	}
}

// lower makes the steps; bind fills in addresses.
func lower(p *plan.Plan, pk []packing, q policy, threads int) *lowered {
	l := &lowered{p: p, pk: pk, policy: q, threads: threads}
	l.offsets, l.arena = p.Layout(size(p))
	l.planars()
	for _, op := range p.Ops {
		l.lower(op)
	}
	return l
}

// planars makes the ends.
func (l *lowered) planars() {
	p := l.p
	x, y := p.Shape(p.X), p.Shape(p.Output)
	l.planar, l.work = l.arena, max(x.Len(), y.Len())
	add(l, nil, kernels.ImportPlanar, x.N*blocks(x.C), func(a *kernels.Planar) {
		*a = kernels.Planar{X: l.at(l.planar), Y: l.addr(p.X), N: int64(x.N), Channels: int64(x.C), Area: int64(x.H * x.W)}
	})
	add(l, nil, kernels.ExportPlanar, y.N*y.C, func(a *kernels.Planar) {
		*a = kernels.Planar{X: l.addr(p.Output), Y: l.at(l.planar), N: int64(y.N), Channels: int64(y.C), Area: int64(y.H * y.W)}
	})
	l.ends, l.steps = [2]step(l.steps), nil
}

func (l *lowered) lower(op plan.Op) {
	switch o := op.(type) {
	case *plan.Conv:
		l.conv(o)
	case *plan.Linear:
		l.linear(o)
	case *plan.Norm:
		l.norm(o)
	case *plan.Map:
		l.pointwise(o)
	case *plan.Attention:
		l.attention(o)
	case *plan.Embed:
		l.embed(o)
	}
}

// add appends a step whose arguments are filled in when addresses are known.
func add[T any](l *lowered, op plan.Op, k kernels.Kernel, items int, fill func(*T)) {
	var a T
	at := l.args
	l.args += (int64(unsafe.Sizeof(a)) + 63) &^ 63
	l.steps = append(l.steps, step{op: op, kernel: k, items: items, args: at, bind: func(l *lowered) {
		fill(&a)
		kernels.Put(l.arguments, at, &a)
	}})
}

// bind gives the steps their memory, that of their arguments, and weights.
func (l *lowered) bind(m, arguments kernels.Memory, param func(plan.Param) kernels.Memory) {
	l.memory, l.arguments, l.param = m, arguments, param
	bind := func(s *step) {
		s.bind(l)
		s.args += arguments.Addr
	}
	for i := range l.ends {
		bind(&l.ends[i])
	}
	for i := range l.steps {
		bind(&l.steps[i])
	}
}

// at is the address of a float of the memory.
func (l *lowered) at(offset int) int64 { return l.memory.Addr + 4*int64(offset) }

// noParam is the absent parameter.
const noParam plan.Param = -1

// weight is the address of a packed parameter, 0 for none.
func (l *lowered) weight(w plan.Param) int64 {
	if w == noParam {
		return 0
	}
	return l.param(w).Addr
}

// addr is the address of a value, 0 for none.
func (l *lowered) addr(v plan.Value) int64 {
	if v == plan.None {
		return 0
	}
	return l.at(l.offsets[v])
}

// needs notes an operator's own memory and scratch, in floats.
func (l *lowered) needs(work, scratch int) {
	l.work = max(l.work, (work+15)&^15)
	l.scratch = max(l.scratch, (scratch+15)&^15)
}

func (l *lowered) read(r plan.Read) kernels.Read {
	s := l.p.Shape(r.X[0])
	k := kernels.Read{X0: l.addr(r.X[0]), Blocks0: int64(blocks(s.C)), Blocks: int64(blocks(l.p.Channels(r.X))),
		Channels: int64(l.p.Channels(r.X)), Affine: l.addr(r.Affine), Resample: kernels.Resample(r.Resample),
		H: int64(r.Resample.Size(s.H)), W: int64(r.Resample.Size(s.W))}
	if len(r.X) > 1 {
		k.X1 = l.addr(r.X[1])
	}
	if r.SiLU {
		k.SiLU = 1
	}
	return k
}

func (l *lowered) write(w plan.Write, y plan.Value) kernels.Write {
	s := l.p.Shape(y)
	return kernels.Write{Y: l.addr(y), Blocks: int64(blocks(s.C)), Shift: l.addr(w.Shift), Residual: l.addr(w.Residual),
		Resample: kernels.Resample(w.ResidualResample), H: int64(s.H), W: int64(s.W)}
}

func (l *lowered) pointwise(o *plan.Map) {
	y := l.p.Shape(o.Y)
	if len(o.X) == 2 && !apart(l.p.Shape(o.X[0]), l.p.Shape(o.X[1])) { // made by plan.Join
		c0, c1 := l.p.Shape(o.X[0]).C, l.p.Shape(o.X[1]).C
		add(l, o, kernels.RunConcat, y.N*blocks(y.C), func(a *kernels.Concat) {
			*a = kernels.Concat{X0: l.addr(o.X[0]), X1: l.addr(o.X[1]), Y: l.addr(o.Y), N: int64(y.N), C0: int64(c0), C1: int64(c1), Area: int64(y.H * y.W)}
		})
		return
	}
	l.needs(0, line(o.Resample, y.W))
	add(l, o, kernels.RunMap, y.N*blocks(y.C)*y.H, func(a *kernels.Map) {
		*a = kernels.Map{In: l.read(o.Read), Out: l.write(o.Write, o.Y), N: int64(y.N)}
	})
}

// line is the floats that resampling a row of cols pixels needs.
func line(r plan.Resample, cols int) int {
	switch r {
	case plan.Up:
		return (cols/2 + 2) * kernels.Block
	case plan.Down:
		return 4 * cols * kernels.Block
	}
	return 0
}

func (l *lowered) norm(o *plan.Norm) {
	s := l.p.Shape(o.X[0])
	c, area := l.p.Channels(o.X), s.H*s.W
	all, runs := blocks(c), (area+kernels.Run-1)/kernels.Run
	l.needs(s.N*all*runs*2*kernels.Block, 0)
	first := 0
	for _, x := range o.X {
		n := blocks(l.p.Shape(x).C)
		at := first
		add(l, o, kernels.RunMoments, s.N*n*runs, func(a *kernels.Moments) {
			*a = kernels.Moments{X: l.addr(x), N: int64(s.N), Blocks: int64(n), Area: int64(area), Runs: int64(runs),
				To: l.at(l.arena), First: int64(at), All: int64(all)}
		})
		first += n
	}
	add(l, o, kernels.RunNorm, s.N*o.Groups, func(a *kernels.Norm) {
		*a = kernels.Norm{Moments: l.at(l.arena), N: int64(s.N), Channels: int64(c), Blocks: int64(all), Groups: int64(o.Groups),
			Area: int64(area), Runs: int64(runs), Gamma: l.weight(o.Gamma), Beta: l.weight(o.Beta),
			ScaleShift: l.addr(o.ScaleShift), Stride: int64(blocks(2*c) * kernels.Block), Y: l.addr(o.Y), Eps: o.Eps}
	})
}

func (l *lowered) attention(o *plan.Attention) {
	s := l.p.Shape(o.Y)
	area, d := s.H*s.W, s.C/o.Heads
	db := blocks(d) * kernels.Block
	aligned := d%kernels.Block == 0
	head := blocks(area) * kernels.Block * db
	if !aligned {
		head *= 3
	}
	sums := kernels.Keys * kernels.Queries
	off := sums + kernels.Queries*db
	l.needs(s.N*o.Heads*head, off+2*(blocks(d)+kernels.Keys/kernels.Block))
	fill := func(a *kernels.Attention) {
		q0, k0, v0 := o.Head(0, d)
		q1, _, _ := o.Head(1, d)
		*a = kernels.Attention{QKV: l.addr(o.QKV), Y: l.addr(o.Y), N: int64(s.N), Heads: int64(o.Heads), D: int64(d), Area: int64(area),
			Blocks: int64(blocks(3 * s.C)), QC: int64(q0), KC: int64(k0), VC: int64(v0), Step: int64(q1 - q0),
			Packed: l.at(l.arena), Sums: int64(sums), Off: int64(off), Scale: float32(1 / math.Sqrt(float64(d)))}
		if aligned {
			a.Aligned = 1
		}
	}
	add(l, o, kernels.PackHeads, s.N*o.Heads, fill)
	add(l, o, kernels.Attend, s.N*o.Heads*((area+kernels.Queries-1)/kernels.Queries), fill)
}

// embed is too small to be a kernel.
func (l *lowered) embed(o *plan.Embed) {
	s := l.p.Shape(o.Y)
	width := blocks(s.C) * kernels.Block
	var table []float32
	l.steps = append(l.steps, step{op: o, bind: func(l *lowered) {
		table = l.param(o.Table).Floats()
	}, before: func(f []float32) {
		for n := range s.N {
			row := table[int(f[l.offsets[o.Label]+n])*s.C:][:s.C]
			x, y := f[l.offsets[o.Add]+n*width:][:width], f[l.offsets[o.Y]+n*width:][:width]
			copy(y, x)
			for c, v := range row {
				y[c] += v
			}
		}
	}})
}

// fill writes an evaluation's noise levels and labels.
func (l *lowered) fill(f []float32, in device.Input) {
	if t := l.p.Time; t != plan.None {
		c := l.p.Shape(t).C
		width := blocks(c) * kernels.Block
		for i, level := range in.Levels {
			row := f[l.offsets[t]+i*width:][:width]
			unet.Sinusoid(level, row[:c])
			clear(row[c:])
		}
	}
	if v := l.p.Label; v != plan.None {
		for i, label := range in.Labels {
			f[l.offsets[v]+i] = float32(label)
		}
	}
}
