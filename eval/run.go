package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
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
	// Known, if set, may know a record's values already; then nothing is
	// restored.
	Known func(Record) ([]float64, bool)
	// Features, if set, has Inception's answers already, and takes new ones.
	Features *Features
	// Each, if set, sees every restored crop; a record that Known knew comes
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
	Original string    // fingerprint of the undegraded crop
	Made     string    // fingerprint of what decided the restored picture
	Values   []float64 // one for each of the run's Measures; NaN where one does not exist
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
	if n := r.Nets.Inception; n != nil && r.Features == nil {
		r.Features = NewFeatures(n.ID)
	}
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
	o := original{Image: r.eight(x0)}
	o.print = fingerprint(o.Image)
	o.seen = sync.OnceValues(func() (answer, error) { return r.look(o.Image, o.print) })
	for _, task := range r.Tasks {
		s, err := degraded(c, task, x0, r.Seed)
		if err != nil {
			return records, fmt.Errorf("%s: %s: %w", c.File, task, err)
		}
		for _, m := range r.Methods {
			rec := Record{Key: Key{c, task, m.Name, m.Sampler, m.Steps}, Original: o.print}
			p := &Pictures{X0: x0, X1: s.X1}
			if rec.Made, err = r.made(rec.Key, m, s, o.print); err == nil {
				if r.known(&rec) {
					p = nil
				} else {
					err = r.one(ctx, &rec, m, s, p, o)
				}
			}
			if errors.Is(err, ErrNotFor) {
				continue
			}
			if err != nil {
				return records, fmt.Errorf("%s: %s: %s: %w", c.File, task, m.Name, err)
			}
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

// original is an undegraded crop, as it is measured.
type original struct {
	*bridge.Image
	print string
	seen  func() (answer, error) // of the networks, which look once and only if they must
}

// known fills in the values of a record if nothing of it has to be measured.
func (r *Run) known(rec *Record) (ok bool) {
	if f := r.Features; r.Known == nil || r.Nets.Inception != nil && !(f.has(rec.Made) && f.has(rec.Original)) {
		return false
	}
	rec.Values, ok = r.Known(*rec)
	return ok
}

// look asks the networks and keeps features.
func (r *Run) look(x *bridge.Image, made string) (answer, error) {
	a, err := r.Nets.look(x)
	if err == nil && r.Nets.Inception != nil {
		r.Features.put(made, a.features)
	}
	return a, err
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
	if s.X1, err = op.Apply(x0, seed); err != nil {
		return s, err
	}
	s.print = fingerprint(task, s.X1)
	return s, nil
}

// one restores a sample and measures the result.
func (r *Run) one(ctx context.Context, rec *Record, m Method, s Sample, p *Pictures, o original) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	start := time.Now()
	var err error
	if p.Restored, err = m.Restore(ctx, s); err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	y := r.eight(p.Restored)
	for _, m := range r.Metrics {
		v, err := m.Compare(y, o.Image)
		if errors.Is(err, metric.ErrSmall) {
			v, err = math.NaN(), nil
		}
		if err != nil {
			return err
		}
		rec.Values = append(rec.Values, v)
	}
	seen, err := o.seen()
	if err != nil {
		return err
	}
	got, err := r.look(y, rec.Made)
	if err != nil {
		return err
	}
	rec.Values = append(rec.Values, r.Nets.judge(s.Crop, got, seen)...)
	rec.Values = append(rec.Values, seconds)
	return nil
}

func (r *Run) eight(x *bridge.Image) *bridge.Image {
	if r.Official {
		return metric.Truncate(x)
	}
	return x
}
