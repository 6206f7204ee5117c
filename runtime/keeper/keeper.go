// Package keeper keeps models open on one device for programs that restore
// pictures as they come, and gets over the loss of the device.
package keeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/weights"
)

// Options are what a Keeper needs to know.
type Options struct {
	Device  string // as for runtime.WithDevice
	Threads int    // as for runtime.WithThreads
	// Precision and NoTune are runtime.WithPrecision's and the opposite of
	// runtime.WithTuning's.
	Precision string
	NoTune    bool
	Open      int          // models open at once, the longest unused goes; 0: 2
	Log       *slog.Logger // nil: nothing is logged
	On        func(Event)  // told what happens to the device; may be nil
}

// Event is something that happened to the device.
type Event struct {
	Kind   Kind
	Device string         // as in Options; cpu for a Fallback
	Model  string         //
	Memory runtime.Memory // of a Size
}

// Kind is what an Event tells.
type Kind int

// The kinds of events.
const (
	Opened   Kind = iota // a model was loaded
	Size                 // a picture of another size comes; Memory is what it takes
	Lost                 // the device failed; it is opened afresh and the picture tried again
	Fallback             // it failed again; from now on everything runs on the CPU
)

// Job is one picture to restore, and what became of it.
type Job struct {
	Context context.Context
	Picture *picture.Picture
	Options []runtime.Option
	Begin   func() // called when the device is free for it; may be nil
	End     func() // called when Out or Err is set, the device still held; may be nil

	Out    *picture.Picture
	Result *runtime.Result
	Err    error
}

// Keeper restores pictures on one device, one after another. It may be used
// by several goroutines.
type Keeper struct {
	models []Model
	o      Options
	load   func(context.Context, runtime.Source, string) (model, error)

	device sync.Mutex // held while pictures are restored
	name   string     // of the device: o.Device, or cpu after a fallback
	open   []opened   // the longest unused first
	size   size       // of the last picture
	closed bool

	mu  sync.Mutex
	say string // what Device says
}

// model is what a Keeper needs of a runtime.Model.
type model interface {
	RestorePicture(context.Context, *picture.Picture, ...runtime.Option) (*picture.Picture, *runtime.Result, error)
	Memory(w, h int, opts ...runtime.Option) (runtime.Memory, error)
	Device() string
	Close() error
}

type opened struct {
	name string
	model
}

type size struct {
	model string
	w, h  int
}

// New makes a Keeper and opens its first model, so that a device that is not
// there is told at once.
func New(ctx context.Context, models []Model, o Options) (*Keeper, error) {
	k := newKeeper(models, o)
	if len(models) == 0 {
		return nil, errors.New("keeper: there are no models")
	}
	if _, err := k.get(ctx, models[0].Name); err != nil {
		return nil, err
	}
	return k, nil
}

func newKeeper(models []Model, o Options) *Keeper {
	if o.Open < 1 {
		o.Open = 2
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.On == nil {
		o.On = func(Event) {}
	}
	k := &Keeper{models: models, o: o, name: o.Device}
	k.load = func(ctx context.Context, src runtime.Source, device string) (model, error) {
		return runtime.Open(ctx, src, runtime.WithDevice(device), runtime.WithThreads(o.Threads), runtime.WithPrecision(o.Precision),
			runtime.WithTuning(!o.NoTune), runtime.WithFallback(false), runtime.WithLogger(o.Log))
	}
	return k
}

// Device says what pictures run on now.
func (k *Keeper) Device() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.say
}

// Run restores pictures with one model. A group has the device for itself:
// pictures of equal size share a compiled network. A device that profits from
// larger batches would evaluate them at once here.
func (k *Keeper) Run(name string, group ...*Job) {
	k.device.Lock()
	defer k.device.Unlock()
	for _, j := range group {
		if j.Err = j.Context.Err(); j.Err == nil {
			if j.Begin != nil {
				j.Begin()
			}
			j.Err = k.restore(name, j)
		}
		if j.End != nil {
			j.End()
		}
	}
}

// restore restores a picture; a lost device is opened afresh once, and then
// given up for the CPU.
func (k *Keeper) restore(name string, j *Job) error {
	for lost := 0; ; lost++ {
		err := k.try(name, j)
		var failed *runtime.DeviceError
		if !errors.As(err, &failed) || j.Context.Err() != nil || lost == 2 || k.name == "cpu" {
			return err
		}
		k.drop()
		if lost == 1 {
			k.name = "cpu"
			k.o.Log.Error("the device failed again; everything runs on the CPU from now on", "device", k.o.Device, "error", err)
			k.o.On(Event{Kind: Fallback, Device: k.name, Model: name})
			continue
		}
		k.o.Log.Warn("the device failed; it is opened afresh", "device", k.name, "error", err)
		k.o.On(Event{Kind: Lost, Device: k.name, Model: name})
	}
}

func (k *Keeper) try(name string, j *Job) (err error) {
	defer func() { // one picture must not end the others
		if v := recover(); v != nil {
			err = fmt.Errorf("keeper: restoring failed: %v", v)
			k.o.Log.Error("panic while restoring", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	m, err := k.get(context.WithoutCancel(j.Context), name) // a model serves those that come after, too
	if err != nil {
		return err
	}
	k.measure(name, m, j)
	j.Out, j.Result, err = m.RestorePicture(j.Context, j.Picture, j.Options...)
	return err
}

// measure tells the memory of a picture of another size than the last. What is
// wrong with the options is Restore's to say.
func (k *Keeper) measure(name string, m model, j *Job) {
	s := size{name, j.Picture.Image.W, j.Picture.Image.H}
	if s == k.size {
		return
	}
	k.size = s
	set, err := runtime.Resolve(k.header(name), j.Options...)
	if err != nil {
		return
	}
	if runtime.Family(set.Task) == "sr4x" {
		s.w, s.h = 4*s.w, 4*s.h
	}
	if need, err := m.Memory(s.w, s.h, j.Options...); err == nil {
		k.o.On(Event{Kind: Size, Device: k.name, Model: name, Memory: need})
	}
}

func (k *Keeper) header(name string) weights.Header {
	for _, m := range k.models {
		if m.Name == name {
			return m.Header
		}
	}
	return weights.Header{}
}

// get finds an open model or opens it, and makes it the last used.
func (k *Keeper) get(ctx context.Context, name string) (model, error) {
	if k.closed {
		return nil, runtime.ErrClosed
	}
	if i := slices.IndexFunc(k.open, func(o opened) bool { return o.name == name }); i >= 0 {
		o := k.open[i]
		k.open = append(slices.Delete(k.open, i, i+1), o)
		return o.model, nil
	}
	i := slices.IndexFunc(k.models, func(m Model) bool { return m.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no model %q", name)
	}
	for len(k.open) >= k.o.Open {
		k.open[0].Close()
		k.open = slices.Delete(k.open, 0, 1)
	}
	m, err := k.load(ctx, k.models[i].Source, k.name)
	if err != nil {
		return nil, err
	}
	k.open = append(k.open, opened{name, m})
	k.mu.Lock()
	k.say = m.Device()
	k.mu.Unlock()
	k.o.On(Event{Kind: Opened, Device: k.name, Model: name})
	return m, nil
}

// drop closes all models, whatever a lost device says to that.
func (k *Keeper) drop() {
	for _, o := range k.open {
		_ = o.Close()
	}
	k.open, k.size = nil, size{}
}

// Close waits for the group that runs and frees the device.
func (k *Keeper) Close() {
	k.device.Lock()
	defer k.device.Unlock()
	k.closed = true
	k.drop()
}
