// Package cpu executes plans on the processor's cores.
//
// Activations are kept in blocks of 16 channels, N×C/16×H×W×16. Convolutions
// are matrix products on packed weights: 3×3 ones of stride 1 by Winograd's
// F(4×4,3×3), which takes a quarter of the multiplications, the others as
// implicit products. What Read describes (concatenation, normalisation, SiLU,
// resampling) is done while a work item's input window is prepared; what Write
// describes while results are stored. The arithmetic is in package kernels;
// here a plan becomes a list of kernel calls, shared out over a fixed team of
// goroutines.
package cpu

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

type cpu struct {
	set    kernels.Set
	team   *team
	asked  int // threads, 0: GOMAXPROCS
	policy policy
	once   sync.Once
}

// New returns the CPU as a device, with the fastest kernels that this
// processor runs or those that I2SB_CPU names; threads of 0 takes GOMAXPROCS.
func New(threads int) (device.Device, error) {
	s, err := kernels.Default()
	if err != nil {
		return nil, err
	}
	return NewWith(s, threads), nil
}

// NewBFloat16 is New with convolutions in bfloat16 and sums in float32, which
// takes a processor with AMX, under Linux.
func NewBFloat16(threads int) (device.Device, error) {
	s, err := kernels.BFloat16()
	if err != nil {
		return nil, err
	}
	return NewWith(s, threads), nil
}

// NewWith is New with a given set of kernels.
func NewWith(s kernels.Set, threads int) device.Device {
	d := &cpu{set: s, team: join(s), asked: threads, policy: defaultPolicy}
	_, d.policy.tiled = s.(kernels.Tiler)
	return d
}

func (d *cpu) Info() device.Info {
	n := d.team.threads(d.asked)
	detail := fmt.Sprintf("%s kernels, %d threads", d.set.Name(), n)
	if n == 1 {
		detail = d.set.Name() + " kernels, one thread"
	}
	return device.Info{Name: "cpu", Detail: detail, Threads: n}
}

func (d *cpu) Close() error {
	d.once.Do(d.team.leave)
	return nil
}

func (d *cpu) Memory(p *plan.Plan, stored weights.DType) device.Memory {
	pk := d.policy.packings(p, stored)
	var m device.Memory
	for _, k := range pk {
		m.Weights += k.bytes
	}
	n := d.team.threads(d.asked)
	l := lower(plan.Join(p, apart), pk, d.policy, n)
	m.Arena = l.bytes()
	m.Scratch = int64(n) * 4 * int64(l.scratch)
	return m
}

// network holds packed weights. The plans that are compiled of it have the
// same parameters in the same order.
type network struct {
	*cpu
	memory kernels.Memory
	names  []string
	packed []packing
	where  map[string]int64 // offsets in bytes
	spares spares
	once   sync.Once
}

func (d *cpu) Load(ctx context.Context, p *plan.Plan, src weights.Source) (device.Network, error) {
	n := &network{cpu: d, packed: d.policy.packings(p, storedAs(p, src)), where: make(map[string]int64, len(p.Params))}
	total := int64(0)
	for i, w := range p.Params {
		n.names = append(n.names, w.Name)
		n.where[w.Name] = total
		total += n.packed[i].bytes
	}
	var err error
	if n.memory, err = d.set.Alloc(total); err != nil {
		return nil, err
	}
	if err := d.team.prepare(d.team.threads(d.asked), 0); err != nil {
		n.Close()
		return nil, err
	}
	if err := n.load(ctx, p, src); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *network) Close() error {
	n.once.Do(func() {
		n.spares.close(n.set)
		n.set.Free(n.memory)
	})
	return nil
}

func (n *network) Compile(p *plan.Plan) (device.Program, error) {
	for i, w := range p.Params {
		if i >= len(n.names) || n.names[i] != w.Name {
			return nil, fmt.Errorf("cpu: weight %s was not loaded", w.Name)
		}
	}
	l := lower(plan.Join(p, apart), n.packed, n.policy, n.team.threads(n.asked))
	r := &program{network: n, p: p, lowered: l}
	var err error
	if r.memory, err = n.set.Alloc(l.bytes()); err != nil {
		return nil, err
	}
	l.bind(r.memory, r.memory.Slice(4*int64(l.arena+l.work)), func(w plan.Param) kernels.Memory {
		return n.memory.Slice(n.where[l.p.Params[w].Name])
	})
	return r, nil
}

// program is a plan as a list of kernel calls, with its memory.
type program struct {
	*network
	p       *plan.Plan
	lowered *lowered
	memory  kernels.Memory
	mu      sync.Mutex
	once    sync.Once
}

func (r *program) Plan() *plan.Plan { return r.p }

// Pace implements device.Paced.
func (r *program) Pace() int { return len(r.lowered.steps) + 2 }

func (r *program) Close() error {
	r.once.Do(func() { r.set.Free(r.memory) })
	return nil
}

// Run implements device.Program; calls wait for each other.
func (r *program) Run(ctx context.Context, in device.Input, y []float32) error {
	return r.planar(ctx, in, y, func(_ plan.Op, f func()) { f() })
}

// Profile implements device.Profiler.
func (r *program) Profile(ctx context.Context, in device.Input, y []float32, each func(plan.Op, time.Duration)) error {
	return r.planar(ctx, in, y, func(op plan.Op, f func()) {
		start := time.Now()
		f()
		each(op, time.Since(start))
	})
}

// planar runs on the caller's planar tensors.
func (r *program) planar(ctx context.Context, in device.Input, y []float32, around func(plan.Op, func())) error {
	if err := device.Check(r.p, in, y); err != nil {
		return err
	}
	l := r.lowered
	input, output := l.ends[0], l.ends[1]
	input.before = func(f []float32) { copy(f[l.planar:], in.X) }
	output.after = func(f []float32) { copy(y, f[l.planar:]) }
	return r.run(ctx, in, input, output, around)
}

// run takes the network's input from the first step and gives its output to
// the last; in.X is not used.
func (r *program) run(ctx context.Context, in device.Input, first, last step, around func(plan.Op, func())) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.team.threads(r.asked)
	if err := r.team.prepare(n, 4*int64(r.lowered.scratch)); err != nil {
		return err
	}
	f := r.memory.Floats()
	r.lowered.fill(f, in)
	do := func(s *step) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		around(s.op, func() {
			if s.before != nil {
				s.before(f)
			}
			if s.items > 0 {
				r.team.run(n, s.kernel, s.args, s.items)
			}
			if s.after != nil {
				s.after(f)
			}
		})
		return nil
	}
	if err := do(&first); err != nil {
		return err
	}
	for i := range r.lowered.steps {
		if err := do(&r.lowered.steps[i]); err != nil {
			return err
		}
	}
	return do(&last)
}
