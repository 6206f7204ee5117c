// Package watch tells how a training goes: figures on pictures that are never
// trained on, grids of them, tables and plots.
package watch

import (
	"context"
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/data"
)

// Held is a picture that is not trained on, and the part that is measured.
type Held struct {
	Item  data.Item
	Place data.Place
}

// Validation measures restorations of held pictures: every degradation with
// every number of steps, always the same way.
type Validation struct {
	Set   *data.Set
	Held  []Held
	Tasks []string // names that data.Parse knows; "" for pairs
	NFE   []int    // steps of the pack's default sampler
	Grid  int      // rows of each task's grid of pictures
}

// Row is the mean over all held pictures, in dB.
type Row struct {
	Task   string
	NFE    int
	Before float64 // PSNR of the degraded pictures
	After  float64 // and of the restored ones
}

// Gain is the mean of what the rows of the least number of steps gained.
func Gain(rows []Row) float64 {
	sum, n := 0.0, 0
	for _, r := range rows {
		if r.NFE == rows[0].NFE {
			sum += r.After - r.Before
			n++
		}
	}
	return sum / float64(max(1, n))
}

// Measure restores everything with a model. grid is given, for each task, rows of
// the degraded, the restored and the clean picture.
func (v *Validation) Measure(ctx context.Context, m *runtime.Model, grid func(task string, rows [][]*bridge.Image) error) ([]Row, error) {
	var rows []Row
	for _, task := range v.Tasks {
		at := len(rows)
		for _, n := range v.NFE {
			rows = append(rows, Row{Task: task, NFE: n})
		}
		var pictures [][]*bridge.Image
		for i, h := range v.Held {
			shown, err := v.one(ctx, m, task, uint64(i), h, rows[at:])
			if err != nil {
				return nil, err
			}
			if i < v.Grid {
				pictures = append(pictures, shown)
			}
		}
		for i := range v.NFE {
			rows[at+i].Before /= float64(len(v.Held))
			rows[at+i].After /= float64(len(v.Held))
		}
		if grid != nil && len(pictures) > 0 {
			if err := grid(task, pictures); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

// most is what an exactly restored picture counts as, in dB.
const most = 100

// one adds a picture's figures to the rows of its task.
func (v *Validation) one(ctx context.Context, m *runtime.Model, task string, seed uint64, h Held, rows []Row) ([]*bridge.Image, error) {
	var q *data.Sample
	var err error
	if task == "" {
		q, err = v.Set.At(h.Item, h.Place, nil, seed)
	} else {
		op, e := data.Parse(task)
		if e != nil {
			return nil, e
		}
		q, err = v.Set.At(h.Item, h.Place, op, seed)
	}
	if err != nil {
		return nil, err
	}
	x1 := q.Cond // the runtime adds the bridge's noise
	before, err := eval.PSNR(x1, q.X0)
	if err != nil {
		return nil, err
	}
	shown := []*bridge.Image{x1}
	for i, n := range v.NFE {
		opts := []runtime.Option{runtime.WithTask(task), runtime.WithSteps(n), runtime.WithSeed(seed), runtime.WithClip(true), runtime.WithLastX0(true)}
		if m.Header().Network.ClassCond {
			opts = append(opts, runtime.WithLabel(q.Class))
		}
		if q.Mask != nil {
			opts = append(opts, runtime.WithMask(&runtime.Mask{W: x1.W, H: x1.H, Values: q.Mask}))
		}
		y, err := m.RestoreTensor(ctx, x1, opts...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Item.Name, err)
		}
		after, err := eval.PSNR(y, q.X0)
		if err != nil {
			return nil, err
		}
		rows[i].Before += math.Min(before, most)
		rows[i].After += math.Min(after, most)
		shown = append(shown, y)
	}
	return append(shown, q.X0), nil
}
