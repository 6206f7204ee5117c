package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/eval/metric"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/train/watch"
)

type options struct {
	photos, crops, task, preset, out string
	train                            int
	nfe                              []int
}

// batch and side are of the crops, 64×64 as in the first of train's two sizes.
const batch, side = 16, 64

func run(ctx context.Context, o options) error {
	crops, set, err := pictures(o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return err
	}
	shape := runtime.TrainShape{Batch: batch, Height: side, Width: side}
	list, err := contenders(ctx, o.preset, shape, runtime.CosineRate(4e-4, 0, o.train, 100))
	for _, c := range list {
		if c.trainer != nil {
			defer c.trainer.Close()
		}
	}
	if err != nil {
		return err
	}
	for step := range o.train {
		if err := teach(ctx, list, set, uint64(step)); err != nil {
			return fmt.Errorf("step %d: %w", step+1, err)
		}
		if (step+1)%50 == 0 {
			fmt.Fprintf(os.Stderr, "\rstep %d of %d", step+1, o.train)
		}
	}
	fmt.Fprintln(os.Stderr)
	for _, c := range list {
		fmt.Printf("%s: %d steps of %d crops of %d×%d in %.1f minutes\n", c.name, o.train, batch, side, side, c.took.Minutes())
	}
	return measure(ctx, o, crops, list)
}

// pictures are the crops to measure and the photographs to train on, of which no
// crop is one.
func pictures(o options) ([]eval.Crop, *data.Set, error) {
	f, err := os.Open(o.crops)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	crops, err := eval.ReadCrops(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.crops, err)
	}
	bad := func(name string, err error) { fmt.Fprintf(os.Stderr, "%s: %v; it is left out\n", name, err) }
	items, err := data.Photos(o.photos, bad)
	if err != nil {
		return nil, nil, err
	}
	var held []string
	for _, c := range crops {
		held = append(held, path.Base(c.File))
	}
	degradation, err := data.ParseDegradation(o.task)
	if err != nil {
		return nil, nil, err
	}
	mixture, err := data.NewMixture([]data.Degradation{degradation})
	if err != nil {
		return nil, nil, err
	}
	set := data.NewSet(data.Exclude(items, held), data.Options{Channels: 3, Area: 0.5, Flip: true, Cache: 1 << 30, Mixture: mixture, Bad: bad})
	return slices.DeleteFunc(crops, func(c eval.Crop) bool { return c.Set != "main" }), set, nil
}

// teach draws the crops, times and noise of a step and shows them to all.
func teach(ctx context.Context, list []*contender, set *data.Set, step uint64) error {
	r := rand.New(bridge.NewStream(1, step))
	var samples [batch]*data.Sample
	var noise [batch]bridge.Noise
	var index [batch]int
	for i := range samples {
		noise[i], index[i] = bridge.NewNoise(r.Uint64()), r.IntN(interval)
		var err error
		if samples[i], err = set.Draw(r, noise[i], side); err != nil {
			return err
		}
	}
	for _, c := range list {
		var examples []runtime.Example
		for i, q := range samples {
			examples = append(examples, c.example(q, index[i], noise[i]))
		}
		if err := c.step(ctx, examples); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// measure restores the crops with every contender and number of steps.
func measure(ctx context.Context, o options, crops []eval.Crop, list []*contender) error {
	e := eval.Run{Photos: o.photos, Crops: crops, Tasks: []string{o.task}, Methods: []eval.Method{eval.Degraded()}, Seed: 1}
	for _, name := range []string{"psnr", "perceptual"} {
		m, err := metric.Parse(name)
		if err != nil {
			return err
		}
		e.Metrics = append(e.Metrics, m)
	}
	for _, c := range list {
		m, err := runtime.OpenWeights(ctx, c.header, c.trainer.Source(runtime.Averages), runtime.WithDevice("cpu"))
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		defer m.Close()
		e.Methods = append(e.Methods, c.methods(m, o.nfe)...)
	}
	records, err := e.Measure(ctx)
	if err != nil {
		return err
	}
	err = picture.WriteFile(filepath.Join(o.out, "results.csv"), true, func(w io.Writer) error {
		return eval.Sheet{Measures: e.Measures(), Seed: e.Seed}.Write(w, records)
	})
	if err != nil {
		return err
	}
	rows, err := e.Table(records)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s, %d crops\n\n| method | steps | PSNR | perceptual |\n|---|---|---|---|\n", o.task, len(crops))
	for _, r := range rows {
		fmt.Printf("| %s | %d | %.2f | %.4f |\n", r.Method, r.Steps, r.Means[0].Value, r.Means[1].Value)
	}
	for i, m := range e.Metrics {
		if err := watch.Plot(filepath.Join(o.out, m.Name+".png"), o.task, e.Measures()[i].Title, false, curves(rows, i)); err != nil {
			return err
		}
	}
	return nil
}

// curves are a measure over the steps, one for each contender.
func curves(rows []eval.Row, measure int) []watch.Curve {
	var list []watch.Curve
	for _, r := range rows {
		if r.Steps == 0 {
			continue
		}
		i := slices.IndexFunc(list, func(c watch.Curve) bool { return c.Name == r.Method })
		if i < 0 {
			i, list = len(list), append(list, watch.Curve{Name: r.Method})
		}
		list[i].X, list[i].Y = append(list[i].X, float64(r.Steps)), append(list[i].Y, r.Means[measure].Value)
	}
	return list
}
