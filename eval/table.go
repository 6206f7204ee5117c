package eval

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
)

// Mean is a mean with its confidence interval of 95 %.
type Mean struct {
	Value     float64
	Low, High float64 // NaN for fewer than three values
	N         int     // values that exist
}

// MarshalJSON leaves out what is no number.
func (m Mean) MarshalJSON() ([]byte, error) {
	out := map[string]any{"n": m.N}
	for name, v := range map[string]float64{"mean": m.Value, "low": m.Low, "high": m.High} {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[name] = v
		}
	}
	return json.Marshal(out)
}

// resamples of the bootstrap, drawn from a fixed seed.
const resamples = 2000

// NewMean takes the mean of the values that exist. The interval is the
// bootstrap's: the middle 95 % of the means of random draws with repetition,
// the same draws in every run.
func NewMean(values []float64) Mean {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	m := Mean{Value: mean(values), Low: math.NaN(), High: math.NaN(), N: len(values)}
	if len(values) < 3 || math.IsInf(m.Value, 0) {
		return m
	}
	draw := rand.New(rand.NewPCG(1, uint64(len(values))))
	means := make([]float64, resamples)
	for i := range means {
		sum := 0.0
		for range values {
			sum += values[draw.IntN(len(values))]
		}
		means[i] = sum / float64(len(values))
	}
	slices.Sort(means)
	m.Low, m.High = means[resamples/40], means[resamples-1-resamples/40]
	return m
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Row is the means over the crops of a set.
type Row struct {
	Key   // its crop has the set alone
	Crops int
	Means []Mean   // one for each measure
	FID   *float64 // nil without Inception
}

// Table takes the means of records, ordered by set, and then as the run's
// tasks and methods are.
func (r *Run) Table(records []Record) ([]Row, error) {
	groups, order := map[Key][]Record{}, []Key(nil)
	for _, rec := range records {
		k := rec.Key
		k.Crop = Crop{Set: rec.Set}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], rec)
	}
	place := func(k Key) int {
		m := slices.IndexFunc(r.Methods, func(m Method) bool { return m.Name == k.Method && m.Sampler == k.Sampler && m.Steps == k.Steps })
		return slices.Index(r.Tasks, k.Task)*len(r.Methods) + m
	}
	slices.SortStableFunc(order, func(a, b Key) int {
		if a.Set != b.Set {
			if a.Set < b.Set {
				return -1
			}
			return 1
		}
		return place(a) - place(b)
	})
	var rows []Row
	for _, k := range order {
		row := Row{Key: k, Crops: len(groups[k])}
		for i := range r.Measures() {
			var values []float64
			for _, rec := range groups[k] {
				values = append(values, rec.Values[i])
			}
			row.Means = append(row.Means, NewMean(values))
		}
		if r.Nets.Inception != nil {
			d, err := r.Features.distance(groups[k])
			if err != nil {
				return nil, err
			}
			row.FID = &d
		}
		rows = append(rows, row)
	}
	return rows, nil
}
