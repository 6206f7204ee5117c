package eval

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
	"github.com/i2sb-go/i2sb/runtime"
)

// Run says what is measured: every degradation with every sampler and every
// number of steps.
type Run struct {
	Photos   string // folder
	Crops    []Crop
	Tasks    []string // names of bridge/degrade
	Samplers []string // "": the pack's default
	Steps    []int    // 0: the pack's default
	Options  []runtime.Option
	Seed     uint64
	// Each, if set, sees every restored crop.
	Each func(Crop, Row, Pictures) error
}

// Pictures are a crop, degraded and restored.
type Pictures struct{ X0, X1, Restored *bridge.Image }

// Row is the mean over the crops of a set.
type Row struct {
	Set     string  `json:"set"`
	Task    string  `json:"task"`
	Sampler string  `json:"sampler"` // "": the pack's default
	Steps   int     `json:"steps"`   // 0: the pack's default
	Crops   int     `json:"crops"`
	Before  float64 `json:"psnr_degraded"`
	After   float64 `json:"psnr_restored"`
}

// cell is a row's place in the table, by position in Run's lists.
type cell struct {
	set                  string
	task, sampler, steps int
}

func (a cell) compare(b cell) int {
	return cmp.Or(cmp.Compare(a.set, b.set), a.task-b.task, a.sampler-b.sampler, a.steps-b.steps)
}

// PSNRs restores every crop and returns the means, ordered by set, task,
// sampler and steps.
func PSNRs(ctx context.Context, m *runtime.Model, r Run) ([]Row, error) {
	rows := map[cell]*Row{}
	for _, c := range r.Crops {
		x0, err := c.Load(r.Photos)
		if err != nil {
			return nil, err
		}
		for ti, task := range r.Tasks {
			if err := r.crop(ctx, m, c, x0, ti, rows); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.File, task, err)
			}
		}
	}
	var table []Row
	for _, k := range slices.SortedFunc(maps.Keys(rows), cell.compare) {
		row := *rows[k]
		row.Before /= float64(row.Crops)
		row.After /= float64(row.Crops)
		table = append(table, row)
	}
	return table, nil
}

// crop adds one crop and degradation to the rows.
func (r Run) crop(ctx context.Context, m *runtime.Model, c Crop, x0 *bridge.Image, ti int, rows map[cell]*Row) error {
	op, err := degrade.Parse(r.Tasks[ti])
	if err != nil {
		return err
	}
	x1, err := op.Apply(x0, r.Seed)
	if err != nil {
		return err
	}
	before, err := PSNR(x1, x0)
	if err != nil {
		return err
	}
	for si, sampler := range r.Samplers {
		for ni, steps := range r.Steps {
			opts := append([]runtime.Option{runtime.WithTask(r.Tasks[ti]), runtime.WithSeed(r.Seed)}, r.Options...)
			if sampler != "" {
				opts = append(opts, runtime.WithSampler(sampler))
			}
			if steps > 0 {
				opts = append(opts, runtime.WithSteps(steps))
			}
			y, err := m.RestoreTensor(ctx, x1, opts...)
			if err != nil {
				return err
			}
			after, err := PSNR(y, x0)
			if err != nil {
				return err
			}
			k := cell{c.Set, ti, si, ni}
			if rows[k] == nil {
				rows[k] = &Row{Set: c.Set, Task: r.Tasks[ti], Sampler: sampler, Steps: steps}
			}
			rows[k].Crops++
			rows[k].Before += before
			rows[k].After += after
			if r.Each != nil {
				row := Row{c.Set, r.Tasks[ti], sampler, steps, 1, before, after}
				if err := r.Each(c, row, Pictures{x0, x1, y}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
