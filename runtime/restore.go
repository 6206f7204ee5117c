package runtime

import (
	"context"
	"fmt"
	"image"
	"strings"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Result is a restored picture and how it was made.
type Result struct {
	Image   image.Image // of the kind of the input: 8 or 16 bits, grey, alpha
	Task    string
	Sampler string
	Steps   int // evaluations of the network
	Seed    uint64
	Device  string
	Tiles   int
	Elapsed time.Duration
	// Fallback says why it was not made as it was asked for: on the CPU in
	// place of a GPU that failed, or in smaller tiles. Else it is "".
	Fallback string
}

// Restore restores a picture of any size. Alpha is kept, a grey picture stays
// grey, 16 bits stay 16 bits.
func (m *Model) Restore(ctx context.Context, img image.Image, opts ...Option) (*Result, error) {
	p, err := picture.FromImage(img)
	if err != nil {
		return nil, err
	}
	q, r, err := m.RestorePicture(ctx, p, opts...)
	if err != nil {
		return nil, err
	}
	r.Image = q.ToImage()
	return r, nil
}

// RestorePicture restores a decoded picture file; profile and depth go over to
// the result. Result.Image is nil. The picture's pixels are let go once the walk
// has begun: a caller that does not keep them either saves 12 bytes a pixel.
func (m *Model) RestorePicture(ctx context.Context, p *picture.Picture, opts ...Option) (*picture.Picture, *Result, error) {
	o := apply(opts)
	t, err := findTask(m.header.Tasks, o.task)
	if err != nil {
		return nil, nil, err
	}
	x1, err := m.channels(p.Image)
	if err != nil {
		return nil, nil, err
	}
	q, planes := p.Derive(), p.Image.C
	name := o.task
	if name == "" {
		name = t.Name
	}
	if Family(name) == "sr4x" {
		q.Alpha = picture.EnlargeAlpha(p.Alpha, x1.W, x1.H, 4)
		x1 = picture.EnlargeNearest(x1, 4)
	}
	if Family(name) == "inpaint" && o.mask == nil {
		if name != "inpaint-center" {
			return nil, nil, &OptionError{"mask", "none", "inpainting needs a mask: white where the picture is to be filled in"}
		}
		o.mask = centre(x1.W, x1.H)
	}
	y, r, err := m.restore(ctx, x1, o)
	if err != nil {
		return nil, nil, err
	}
	q.Image = back(y, planes)
	return q, r, nil
}

// RestoreTensor restores x1, C×H×W in [-1, 1], at its own size: for sr4x it is
// already enlarged. The result is not clamped. x1 is read until it returns.
func (m *Model) RestoreTensor(ctx context.Context, x1 *bridge.Image, opts ...Option) (*bridge.Image, error) {
	y, _, err := m.restore(ctx, x1, apply(opts))
	return y, err
}

func apply(opts []Option) *options {
	o := &options{}
	for _, f := range opts {
		f(o)
	}
	return o
}

func (m *Model) restore(ctx context.Context, x1 *bridge.Image, o *options) (*bridge.Image, *Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if x1.C != m.Channels() || len(x1.Pix) != x1.C*x1.H*x1.W {
		return nil, nil, fmt.Errorf("runtime: the network restores %d channels, the tensor has %d (%d elements)", m.Channels(), x1.C, len(x1.Pix))
	}
	start := time.Now()
	k, y, err := m.walk(ctx, x1, o)
	if err != nil {
		return nil, nil, err
	}
	return y, &Result{Task: k.task.Name, Sampler: k.table.Sampler.String(), Steps: len(k.table.Steps), Seed: o.seed,
		Device: m.Device(), Tiles: len(k.windows), Elapsed: time.Since(start), Fallback: m.because(k)}, nil
}

// walk walks to the end, where the device fails on another one.
func (m *Model) walk(ctx context.Context, x1 *bridge.Image, o *options) (*walk, *bridge.Image, error) {
	told := 0
	for {
		k, err := m.newWalk(o, x1.W, x1.H)
		if err != nil {
			return nil, nil, err
		}
		k.told = told
		m.log.Info("restoring", "width", x1.W, "height", x1.H, "task", k.task.Name, "sampler", k.table.Sampler.String(),
			"steps", len(k.table.Steps), "tiles", len(k.windows), "device", k.seat.device.Info().Name)
		spare := x1 // for another try; without one it is let go
		if !m.substitutes(k.seat) {
			spare = nil
		}
		y, err := k.run(ctx, k.spec(), x1)
		if err == nil {
			return k, y, nil
		}
		if spare == nil || !m.fall(ctx, k.seat, err) {
			return nil, nil, err
		}
		x1, told = spare, k.told
	}
}

// because says why a walk did not go as it was asked for.
func (m *Model) because(k *walk) string {
	var why []string
	if f := m.Fallback(); f != "" {
		why = append(why, f)
	}
	if k.smaller != "" {
		why = append(why, k.smaller)
	}
	return strings.Join(why, "; ")
}

// channels makes a grey picture as many channels as the network wants.
func (m *Model) channels(x *bridge.Image) (*bridge.Image, error) {
	if x.C == m.Channels() {
		return x, nil
	}
	if x.C != 1 {
		return nil, fmt.Errorf("runtime: the network restores %d channels, the picture has %d", m.Channels(), x.C)
	}
	y := bridge.NewImage(m.Channels(), x.H, x.W)
	for c := range y.C {
		copy(y.Plane(c), x.Pix)
	}
	return y, nil
}

// back is the mean of the channels if the picture had one.
func back(y *bridge.Image, channels int) *bridge.Image {
	if y.C == channels {
		return y
	}
	g := bridge.NewImage(1, y.H, y.W)
	for c := range y.C {
		for i, v := range y.Plane(c) {
			g.Pix[i] += v / float32(y.C)
		}
	}
	return g
}

// centre is the hole of inpaint-center: the middle half of both sides.
func centre(w, h int) *Mask {
	m := &Mask{W: w, H: h, Values: make([]uint8, w*h)}
	for y := h / 4; y < h*3/4; y++ {
		for x := w / 4; x < w*3/4; x++ {
			m.Values[y*w+x] = 255
		}
	}
	return m
}
