package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/weights"
)

// sampling is a sample fixture: a walk from x1 with recorded noise, and the
// states and estimates that the reference recorded on its way.
type sampling struct {
	x1, mask, filled, cond *tensor // filled is x1 after the sampler drew its hole again
	labels                 []int
	draws                  []*tensor // all of them, the hole's first
	header                 weights.Header
	table                  *bridge.Schedule
	nfe                    int
	clip                   bool
	steps                  []int // indices visited, ascending
	logged                 []int // those that are recorded, the end first
}

// sample judges xs, pred_x0, steps and x1_filled. Each item of a batch walks
// by itself.
func sample(ctx context.Context, j *job) ([]Row, error) {
	if err := j.only(func(n string) bool {
		switch n {
		case "x1", "mask", "x1_filled", "cond", "label", "steps", "xs", "pred_x0":
			return true
		}
		return strings.HasPrefix(n, "noise.") || strings.HasPrefix(n, "params.")
	}); err != nil {
		return nil, err
	}
	s, err := j.sampling()
	if err != nil {
		return nil, err
	}
	src, err := j.weights()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if s.header.Network, err = j.network(src); err != nil {
		return nil, err
	}
	if s.header.Network.ClassCond != (s.labels != nil) {
		return nil, fmt.Errorf("class_cond is %v, but that is not so of the tensor label", s.header.Network.ClassCond)
	}
	m, err := runtime.OpenWeights(ctx, s.header, src, runtime.WithDevice(j.opt.Device), runtime.WithThreads(j.opt.Threads),
		runtime.WithPrecision(cmp.Or(j.opt.Precision, "f32")), runtime.WithTuning(false))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	got := map[string]*tensor{"steps": {shape: []int{len(s.steps)}}, "x1_filled": s.filled}
	for _, i := range s.steps {
		got["steps"].v = append(got["steps"].v, float32(i))
	}
	if got["xs"], got["pred_x0"], err = s.walk(ctx, m); err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(m.Device(), ":")
	var rows []Row
	for _, n := range j.names() {
		g := got[n]
		if g == nil {
			continue
		}
		want, err := j.read(n)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(want.shape, g.shape) {
			return nil, fmt.Errorf("%s is %v, it should be %v", n, want.shape, g.shape)
		}
		tolerance := scaled(stateTolerance(j.named(name), j.half()), want.v)
		if n == "steps" {
			tolerance = 0
		}
		rows = append(rows, compare(n, want.v, g.v, tolerance))
	}
	return rows, nil
}

// sampling reads and checks everything but the weights.
func (j *job) sampling() (*sampling, error) {
	s := &sampling{}
	var err error
	for _, t := range []struct {
		name string
		to   **tensor
	}{{"x1", &s.x1}, {"mask", &s.mask}, {"x1_filled", &s.filled}, {"cond", &s.cond}} {
		if t.name != "x1" && !j.has(t.name) {
			continue
		}
		if *t.to, err = j.read(t.name); err != nil {
			return nil, err
		}
	}
	if len(s.x1.shape) != 4 {
		return nil, fmt.Errorf("x1 is %v, it should be [B, C, H, W]", s.x1.shape)
	}
	if err := s.readMeta(j); err != nil {
		return nil, err
	}
	for i := 0; j.has(fmt.Sprintf("noise.%d", i)); i++ {
		d, err := j.read(fmt.Sprintf("noise.%d", i))
		if err != nil {
			return nil, err
		}
		if len(d.v) != len(s.x1.v) {
			return nil, fmt.Errorf("noise.%d is %v, x1 is %v", i, d.shape, s.x1.shape)
		}
		s.draws = append(s.draws, d)
	}
	if s.labels, err = j.labels(s.x1.shape[0]); err != nil {
		return nil, err
	}
	if s.cond == nil {
		s.cond = s.x1
	}
	if len(s.cond.v) != len(s.x1.v) || (s.filled != nil && len(s.filled.v) != len(s.x1.v)) {
		return nil, fmt.Errorf("cond and x1_filled should be as large as x1, %v", s.x1.shape)
	}
	return s, s.fill()
}

func (s *sampling) readMeta(j *job) error {
	b := &s.header.Bridge
	var err error
	try := func(e error) {
		if err == nil {
			err = e
		}
	}
	var e error
	b.Interval, e = j.integer("interval", "1000")
	try(e)
	b.BetaMax, e = j.number("beta_max")
	try(e)
	b.T0, e = j.number("t0", "1e-4")
	try(e)
	b.T, e = j.number("T", "1")
	try(e)
	b.OTODE, e = j.flag("ot_ode", "false")
	try(e)
	b.CondX1, e = j.flag("cond_x1", "false")
	try(e)
	s.clip, e = j.flag("clip_denoise", "false")
	try(e)
	s.nfe, e = j.integer("nfe")
	try(e)
	if err != nil {
		return err
	}
	if s.table, err = bridge.NewSchedule(bridge.Config(*b)); err != nil {
		return err
	}
	if s.steps, err = bridge.Steps(b.Interval, s.nfe); err != nil {
		return err
	}
	s.logged = bridge.LogSteps(s.steps)
	if xs, ok := j.infos["xs"]; ok && len(xs.Shape) == 5 && xs.Shape[1] == s.nfe {
		s.logged = s.steps[:s.nfe] // this fixture records every arrival
	}
	return nil
}

// fill draws the hole of x1 again as the sampler does, with the first draw.
// In place of the fixture's x1_filled, which it is compared with, s.filled is
// then ours.
func (s *sampling) fill() error {
	if s.mask == nil {
		if s.filled != nil {
			return fmt.Errorf("there is x1_filled without a mask")
		}
		return nil
	}
	b, c, hw := s.x1.shape[0], s.x1.shape[1], s.x1.shape[2]*s.x1.shape[3]
	if len(s.mask.v) != b*hw {
		return fmt.Errorf("mask is %v, it should be [%d, 1, %d, %d]", s.mask.shape, b, s.x1.shape[2], s.x1.shape[3])
	}
	if len(s.draws) == 0 {
		return fmt.Errorf("the tensor noise.0, which fills the hole, is missing")
	}
	ours := &tensor{shape: s.x1.shape, v: make([]float32, len(s.x1.v))}
	for i, x := range s.x1.v {
		m := s.mask.v[i/(c*hw)*hw+i%hw]
		if !(m >= 0 && m <= 1) {
			return fmt.Errorf("the mask holds %v; it should lie between 0 and 1", m)
		}
		ours.v[i] = (1-m)*x + m*s.draws[0].v[i]
	}
	s.filled = ours
	return nil
}

// walk runs every item of the batch and returns the recorded states and
// estimates, [B, recorded, C, H, W], the end first.
func (s *sampling) walk(ctx context.Context, m *runtime.Model) (xs, x0s *tensor, err error) {
	shape := append([]int{s.x1.shape[0], len(s.logged)}, s.x1.shape[1:]...)
	xs = &tensor{shape: shape, v: make([]float32, size(shape))}
	x0s = &tensor{shape: shape, v: make([]float32, size(shape))}
	for b := range s.x1.shape[0] {
		if err := s.item(ctx, m, b, xs.slice(b), x0s.slice(b)); err != nil {
			return nil, nil, err
		}
	}
	return xs, x0s, nil
}

func (s *sampling) item(ctx context.Context, m *runtime.Model, b int, xs, x0s []float32) error {
	noise, err := s.noise(b)
	if err != nil {
		return err
	}
	n := len(xs) / len(s.logged)
	seen := 0
	opts := []runtime.Option{
		runtime.WithSteps(s.nfe), runtime.WithClip(s.clip), runtime.WithLastX0(false), runtime.WithTile(-1),
		runtime.WithNoise(noise), runtime.WithOfficialMask(),
		runtime.WithStep(func(st runtime.Step) error {
			if i := slices.Index(s.logged, st.Index); i >= 0 {
				x, err := st.State()
				if err != nil {
					return err
				}
				x0, err := st.X0()
				if err != nil {
					return err
				}
				copy(xs[i*n:(i+1)*n], x.Pix)
				copy(x0s[i*n:(i+1)*n], x0.Pix)
				seen++
			}
			return nil
		}),
	}
	if s.header.Bridge.CondX1 {
		opts = append(opts, runtime.WithCondition(s.image(s.cond, b)))
	}
	if s.labels != nil {
		opts = append(opts, runtime.WithLabel(s.labels[b]))
	}
	start := s.x1
	if s.mask != nil {
		mask := &runtime.Mask{W: s.x1.shape[3], H: s.x1.shape[2]}
		for _, v := range s.mask.slice(b) {
			u := uint8(v*255 + 0.5)
			if d := v - float32(u)/255; d > 1e-6 || d < -1e-6 {
				return fmt.Errorf("the mask holds %v; it should be 0 or 1 (or n/255)", v)
			}
			mask.Values = append(mask.Values, u)
		}
		start, opts = s.filled, append(opts, runtime.WithMask(mask))
	}
	if _, err := m.RestoreTensor(ctx, s.image(start, b), opts...); err != nil {
		return err
	}
	if seen != len(s.logged) {
		return fmt.Errorf("the walk passed %d of the %d recorded indices", seen, len(s.logged))
	}
	return nil
}

// noise is item b's share of the recorded draws, for the steps of its walk.
func (s *sampling) noise(b int) (bridge.Noise, error) {
	o := bridge.WalkOptions{Sampler: bridge.Posterior, NFE: s.nfe}
	if s.header.Bridge.OTODE {
		o.Sampler = bridge.ODE
	}
	w, err := bridge.NewWalk(s.table, o)
	if err != nil {
		return nil, err
	}
	var draws []*bridge.Image
	for _, d := range s.draws {
		draws = append(draws, s.image(d, b))
	}
	masked := s.mask != nil
	return bridge.NewRecorded(draws, w, masked, masked)
}

// image copies item b as a picture.
func (s *sampling) image(t *tensor, b int) *bridge.Image {
	m := bridge.NewImage(s.x1.shape[1], s.x1.shape[2], s.x1.shape[3])
	copy(m.Pix, t.slice(b))
	return m
}
