package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
	"github.com/i2sb-go/i2sb/eval/metric"
)

// Run says what is measured: every method on every degradation of every crop.
type Run struct {
	Photos   string // folder
	Crops    []Crop
	Tasks    []string // names of bridge/degrade
	Methods  []Method
	Metrics  []metric.Metric
	Nets     Nets
	Official bool // measure what the reference would: 8 bits, truncated
	Seed     uint64
	// Done, if set, may know a record already; then nothing is restored.
	Done func(Key) ([]float64, bool)
	// Each, if set, sees every restored crop; a record that Done knew comes
	// without pictures.
	Each func(Record, *Pictures) error
}

// Pictures are a crop, degraded and restored.
type Pictures struct{ X0, X1, Restored *bridge.Image }

// Key says what a record is about.
type Key struct {
	Crop
	Task    string
	Method  string
	Sampler string // "": the pack's default, or no network
	Steps   int    // 0: the pack's default, or no network
}

// Record is what was measured of one restored crop.
type Record struct {
	Key
	Values []float64 // one for each of the run's Measures; NaN where one does not exist
}

// Measure is a column of records and tables.
type Measure struct {
	Name, Title string
	Lower       bool // the lower, the better
	Digits      int
}

// Measures are the columns of the run's records.
func (r *Run) Measures() []Measure {
	var ms []Measure
	for _, m := range r.Metrics {
		ms = append(ms, Measure{m.Name, m.Title, m.Lower, m.Digits})
	}
	ms = append(ms, r.Nets.measures()...)
	return append(ms, Measure{"seconds", "seconds", true, 2})
}

// Measure restores and measures everything. Records are ordered by crop, task
// and method. On an error those that were made so far come with it.
func (r *Run) Measure(ctx context.Context) ([]Record, error) {
	var records []Record
	for _, c := range r.Crops {
		x0, err := c.Load(r.Photos)
		if err != nil {
			return records, err
		}
		if records, err = r.crop(ctx, c, x0, records); err != nil {
			return records, err
		}
	}
	return records, nil
}

// crop adds a crop's records.
func (r *Run) crop(ctx context.Context, c Crop, x0 *bridge.Image, records []Record) ([]Record, error) {
	original := r.eight(x0)
	seen, err := r.Nets.look(original)
	if err != nil {
		return records, fmt.Errorf("%s: %w", c.File, err)
	}
	r.Nets.remember(Key{Crop: Crop{Set: c.Set}, Method: originals}, seen)
	for _, task := range r.Tasks {
		s, err := degraded(c, task, x0, r.Seed)
		if err != nil {
			return records, fmt.Errorf("%s: %s: %w", c.File, task, err)
		}
		for _, m := range r.Methods {
			k := Key{c, task, m.Name, m.Sampler, m.Steps}
			var p *Pictures
			values, done := []float64(nil), false
			if r.Done != nil {
				values, done = r.Done(k)
			}
			if !done {
				p = &Pictures{X0: x0, X1: s.X1}
				values, err = r.one(ctx, k, m, s, p, original, seen)
				if errors.Is(err, ErrNotFor) {
					continue
				}
				if err != nil {
					return records, fmt.Errorf("%s: %s: %s: %w", c.File, task, m.Name, err)
				}
			}
			rec := Record{k, values}
			records = append(records, rec)
			if r.Each != nil {
				if err := r.Each(rec, p); err != nil {
					return records, err
				}
			}
		}
	}
	return records, nil
}

// degraded makes a sample.
func degraded(c Crop, task string, x0 *bridge.Image, seed uint64) (Sample, error) {
	op, err := degrade.Parse(task)
	if err != nil {
		return Sample{}, err
	}
	op = degrade.Chosen(op, seed)
	s := Sample{Crop: c, Task: task, Op: op, Seed: seed}
	if m, ok := op.(degrade.Masker); ok {
		s.Mask = m.Mask(x0.H, x0.W, seed)
	}
	s.X1, err = op.Apply(x0, seed)
	return s, err
}

// one restores a sample and measures the result.
func (r *Run) one(ctx context.Context, k Key, m Method, s Sample, p *Pictures, original *bridge.Image, seen answer) ([]float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	start := time.Now()
	var err error
	if p.Restored, err = m.Restore(ctx, s); err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	y := r.eight(p.Restored)
	var values []float64
	for _, m := range r.Metrics {
		v, err := m.Compare(y, original)
		if errors.Is(err, metric.ErrSmall) {
			v, err = math.NaN(), nil
		}
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	got, err := r.Nets.look(y)
	if err != nil {
		return nil, err
	}
	group := k
	group.Crop = Crop{Set: k.Set}
	r.Nets.remember(group, got)
	values = append(values, r.Nets.judge(s.Crop, got, seen)...)
	return append(values, seconds), nil
}

func (r *Run) eight(x *bridge.Image) *bridge.Image {
	if r.Official {
		return metric.Truncate(x)
	}
	return x
}
