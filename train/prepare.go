package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/train/checkpoint"
	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/train/initial"
	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/train/watch"
	"github.com/i2sb-go/i2sb/weights"
)

// prepare finds the data, loads the network and makes the folder and its tables.
func (t *training) prepare(ctx context.Context) error {
	s, err := schedule(t.recipe)
	if err != nil {
		return err
	}
	t.drawer = &drawer{recipe: t.recipe, schedule: s}
	if err := t.findData(); err != nil {
		return err
	}
	if err := os.MkdirAll(t.opt.Out, 0o777); err != nil {
		return err
	}
	if t.lock, err = t.folder.Lock(); err != nil {
		return err
	}
	t.folder.Clean()
	if err := t.load(ctx); err != nil {
		return err
	}
	err = picture.WriteFile(filepath.Join(t.opt.Out, "recipe.toml"), true, func(w io.Writer) error {
		_, err := io.WriteString(w, t.recipe.String())
		return err
	})
	if err != nil {
		return err
	}
	return t.tables.open(t.opt.Out, t.state.Steps)
}

// findData lists the pictures, holds some back, and drops crop sizes that none
// has room for.
func (t *training) findData() error {
	r := t.recipe
	bad := t.badFiles()
	var items []data.Item
	var err error
	if r.Data.Pairs != "" {
		items, err = data.Pairs(r.Data.Pairs, bad)
	} else {
		items, err = data.Photos(r.Data.Photos, bad)
	}
	if err != nil {
		return err
	}
	if n := r.Network.NumClasses; r.Network.ClassCond && n > 0 && data.Classes(items) > n {
		return fmt.Errorf("the pictures lie in %d folders, the network has %d classes", data.Classes(items), n)
	}
	items, held, err := t.hold(items)
	if err != nil {
		return err
	}
	if items = data.Exclude(items, r.Data.Exclude); len(items) == 0 {
		return fmt.Errorf("no pictures are left to train on")
	}
	o := data.Options{Channels: r.Network.OutChannels, Area: r.Data.Area, Flip: r.Data.Flip, Cache: int64(r.Data.CacheMB) << 20, AddNoise: r.Bridge.AddX1Noise, Fill: r.Bridge.Fill, Bad: bad}
	if r.Data.Photos != "" {
		if o.Mixture, err = data.NewMixture(r.Degradations); err != nil {
			return err
		}
	}
	t.drawer.set = data.NewSet(items, o)
	if err := t.cropSizes(items); err != nil {
		return err
	}
	if len(held) > 0 && r.Validation.Every > 0 {
		t.valid = &watch.Validation{Set: t.drawer.set, Held: held, Tasks: r.Measured(), NFE: r.Validation.NFE, Grid: r.Validation.Grid}
	}
	return nil
}

// badFiles names the first files that cannot be used and counts the others.
func (t *training) badFiles() func(name string, err error) {
	const named = 10
	n := 0
	return func(name string, err error) {
		switch n++; {
		case n < named:
			t.opt.Say(fmt.Sprintf("%s: %v; it is left out", name, err))
		case n == named:
			t.opt.Say(fmt.Sprintf("%s: %v; it is left out, like all others that cannot be used and are not named any more", name, err))
		}
	}
}

// cropSizes keeps those that some picture has room for.
func (t *training) cropSizes(items []data.Item) error {
	r := t.recipe
	smallest := r.Crops[0].Size
	for _, c := range r.Crops {
		smallest = min(smallest, c.Size)
		if t.drawer.set.Fits(c.Size) > 0 {
			t.drawer.crops = append(t.drawer.crops, c)
		} else {
			t.opt.Say(fmt.Sprintf("no picture has room for crops of %d×%d; training does without them", c.Size, c.Size))
		}
	}
	t.items = t.drawer.set.Fits(smallest)
	if small := len(items) - t.items; small > 0 && t.items > 0 {
		t.opt.Say(fmt.Sprintf("%d of %d pictures are smaller than %d×%d and are left out", small, len(items), smallest, smallest))
	}
	if len(t.drawer.crops) == 0 {
		return fmt.Errorf("all %d pictures are smaller than %d×%d; smaller crops can be had by --crop", len(items), smallest, smallest)
	}
	return nil
}

// hold takes the pictures of the validation out of those to train on.
func (t *training) hold(items []data.Item) ([]data.Item, []watch.Held, error) {
	v := t.recipe.Validation
	if v.List == "" {
		const most = 16
		rest, back := data.Split(items, v.Split, most, t.recipe.Seed)
		var held []watch.Held
		for _, it := range back {
			held = append(held, watch.Held{Item: it, Place: data.Centre(v.Side)})
		}
		return rest, held, nil
	}
	f, err := os.Open(v.List)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	crops, err := eval.ReadCrops(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", v.List, err)
	}
	var held []watch.Held
	names := map[string]bool{}
	for _, c := range crops {
		i := slices.IndexFunc(items, func(it data.Item) bool { return it.Name == c.File || path.Base(it.Name) == c.File })
		if i < 0 {
			return nil, nil, fmt.Errorf("%s: there is no picture %s to hold back", v.List, c.File)
		}
		names[items[i].Name] = true
		if v.Set == "" || c.Set == v.Set {
			held = append(held, watch.Held{Item: items[i], Place: func(int, int) (int, int, int, int) { return c.X, c.Y, c.W, c.H }})
		}
	}
	if len(held) == 0 {
		return nil, nil, fmt.Errorf("%s: it has no crops of set %q", v.List, v.Set)
	}
	rest := slices.DeleteFunc(items, func(it data.Item) bool { return names[it.Name] })
	return rest, held, nil
}

// momentum is Muon's.
const momentum = 0.95

// load makes the trainer, with the weights that the recipe starts from or those
// of the checkpoint.
func (t *training) load(ctx context.Context) error {
	r := t.recipe
	h := weights.Header{Network: r.Network, Bridge: r.Bridge}
	src, closer, err := t.start(ctx)
	if err != nil {
		return err
	}
	defer closer.Close()
	o := runtime.TrainOptions{Rate: t.rate, Decay: r.Optimizer.Decay, Average: r.Optimizer.Average, Clip: r.Optimizer.Clip,
		AreaLoss: r.Loss.Mask == recipe.MaskArea, Charbonnier: r.Loss.Charbonnier, Memory: int64(r.Optimizer.MemoryMB) << 20}
	if len(r.Optimizer.Only) > 0 {
		o.Only = r.Optimizer.Learns
	}
	if r.Optimizer.Method == recipe.Muon {
		o.Muon = momentum
	}
	for _, c := range t.drawer.crops {
		o.Shapes = append(o.Shapes, runtime.TrainShape{Batch: c.Batch, Height: c.Size, Width: c.Size})
	}
	if t.trainer, err = runtime.NewTrainer(ctx, h, src, o, runtime.WithDevice(t.opt.Device), runtime.WithThreads(t.opt.Threads), runtime.WithPrecision(cmp.Or(t.opt.Precision, "f32"))); err != nil {
		return err
	}
	t.device = t.trainer.Device()
	if c := t.opt.From; c != nil {
		return errors.Join(t.trainer.Resume(c.State.Steps, c.Weights, c.Moment1, c.Moment2, c.Average), c.Close())
	}
	return nil
}

// start is what the network begins with.
func (t *training) start(ctx context.Context) (weights.Source, io.Closer, error) {
	r := t.recipe
	if c := t.opt.From; c != nil {
		return c.Weights, io.NopCloser(nil), nil
	}
	if r.Init == "" {
		src, err := initial.Fresh(r.Network, r.Seed)
		return src, io.NopCloser(nil), err
	}
	o, err := Origin(ctx, r.Init)
	if err != nil {
		return nil, nil, err
	}
	src, notes, err := initial.Adapt(o.Source, r.Network)
	if err != nil {
		o.Close()
		return nil, nil, fmt.Errorf("%s: %w", r.Init, err)
	}
	if len(notes) > 0 {
		t.opt.Say(fmt.Sprintf("%s: %s", r.Init, strings.Join(notes, ", ")))
	}
	return src, o, nil
}

// write writes the state.
func (t *training) write(w io.Writer) error {
	return checkpoint.Write(w, t.state, *t.recipe, t.header(t.state), checkpoint.Sets{Average: t.trainer.Source(runtime.Averages),
		Weights: t.trainer.Source(runtime.Weights), Moment1: t.trainer.Source(runtime.Moments1), Moment2: t.trainer.Source(runtime.Moments2)})
}
