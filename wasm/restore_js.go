package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	goruntime "runtime"
	"strconv"
	"syscall/js"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// order is RestoreOptions of wasm/npm/i2sb.d.ts as the worker passes them.
type order struct {
	Width, Height int
	Task          string
	Steps         *int
	Sampler       string
	Eta           *float64
	Seed          string // decimal, of 64 bits
	Tile, Overlap int
	Preview       int // most pixels of a side; 0: none
}

// restore(order, rgba, mask, onStep, onWork, done): restores a picture of
// width×height RGBA pixels; mask is as many bytes or null. The result is
// {width, height, data}. onStep gets (step, steps, preview or null).
func (w *worker) restore(args []js.Value) (_ any, err error) {
	defer recovered(&err)
	ctx, end := w.begin()
	defer end()
	var o order
	if err := json.Unmarshal([]byte(args[0].String()), &o); err != nil {
		return nil, err
	}
	opts, err := o.options()
	if err != nil {
		return nil, err
	}
	if !args[2].IsNull() {
		m := &runtime.Mask{W: o.Width, H: o.Height, Values: make([]uint8, o.Width*o.Height)}
		js.CopyBytesToGo(m.Values, args[2])
		opts = append(opts, runtime.WithMask(m))
	}
	onStep, onWork := args[3], args[4]
	var told time.Time
	opts = append(opts, runtime.WithStep(func(s runtime.Step) error {
		var shown any
		if o.Preview > 0 {
			x, err := s.X0()
			if err != nil {
				return err
			}
			p := picture.Picture{Image: small(x, o.Preview), Depth: 8}
			shown = pixels(p.ToImage())
		}
		onStep.Invoke(s.Done, s.Of, shown)
		return nil
	}), runtime.WithWork(func(k runtime.Work) {
		if now := time.Now(); now.Sub(told) >= often {
			told = now
			onWork.Invoke(k.Fraction, k.Step, k.Steps, k.Tile, k.Tiles)
		}
	}))
	if err := w.fits(o, opts); err != nil {
		return nil, err
	}
	img := image.NewNRGBA(image.Rect(0, 0, o.Width, o.Height))
	if n := js.CopyBytesToGo(img.Pix, args[1]); n != len(img.Pix) {
		return nil, &coded{codeImage, fmt.Errorf("%d bytes for %d×%d pixels", n, o.Width, o.Height)}
	}
	r, err := w.model.Restore(ctx, img, opts...)
	if err != nil {
		return nil, err
	}
	return pixels(r.Image), nil
}

// often is how long onWork waits between calls.
const often = 100 * time.Millisecond

func (o *order) options() ([]runtime.Option, error) {
	seed, err := strconv.ParseUint(o.Seed, 10, 64)
	if err != nil {
		return nil, &coded{codeOption, fmt.Errorf("seed %s: a whole number from 0 to 2^64-1", o.Seed)}
	}
	opts := []runtime.Option{runtime.WithTask(o.Task), runtime.WithSampler(o.Sampler), runtime.WithSeed(seed), runtime.WithTile(o.Tile), runtime.WithOverlap(o.Overlap)}
	if o.Steps != nil {
		opts = append(opts, runtime.WithSteps(*o.Steps))
	}
	if o.Eta != nil {
		opts = append(opts, runtime.WithEta(*o.Eta))
	}
	return opts, nil
}

// fits refuses what this module's memory cannot hold; Go itself would end.
func (w *worker) fits(o order, opts []runtime.Option) error {
	width, height := int64(o.Width), int64(o.Height)
	if runtime.Family(o.Task) == "sr4x" {
		width, height = 4*width, 4*height
	}
	if width*height < 1<<20 {
		return nil
	}
	if width*height > 1<<31 {
		return &coded{codeMemory, fmt.Errorf("a result of %d×%d pixels is more than this module's 4 GiB of memory can hold", width, height)}
	}
	need, err := w.model.Memory(int(width), int(height), opts...)
	if err != nil {
		return err
	}
	// Besides, both pictures as bytes and as three channels of float32.
	bytes := need.State + need.Arena + need.Work + 2*(4+12)*width*height
	var used goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&used)
	if room := 4<<30 - 128<<20 - int64(used.HeapAlloc); bytes > room {
		return &coded{codeMemory, fmt.Errorf("a result of %d×%d pixels needs %d MiB, and %d MiB of this module's 4 GiB are free", width, height, bytes>>20, room>>20)}
	}
	return nil
}

// small shrinks x by a whole factor until its longer side has at most a number
// of pixels, averaging.
func small(x *bridge.Image, side int) *bridge.Image {
	k := (max(x.W, x.H) + side - 1) / side
	if k <= 1 {
		return x
	}
	y := bridge.NewImage(x.C, max(1, x.H/k), max(1, x.W/k))
	kh, kw := min(k, x.H), min(k, x.W)
	for c := range y.C {
		from, to := x.Plane(c), y.Plane(c)
		for i := range y.H {
			for j := range y.W {
				sum := float32(0)
				for r := range kh {
					for _, v := range from[(i*k+r)*x.W+j*k:][:kw] {
						sum += v
					}
				}
				to[i*y.W+j] = sum / float32(kh*kw)
			}
		}
	}
	return y
}

// pixels copies a picture to JavaScript.
func pixels(m image.Image) any {
	img, ok := m.(*image.NRGBA)
	if !ok { // a grey network
		img = image.NewNRGBA(m.Bounds())
		draw.Draw(img, img.Rect, m, m.Bounds().Min, draw.Src)
	}
	data := js.Global().Get("Uint8ClampedArray").New(len(img.Pix))
	js.CopyBytesToJS(data, img.Pix)
	return map[string]any{"width": img.Rect.Dx(), "height": img.Rect.Dy(), "data": data}
}
