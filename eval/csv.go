package eval

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Sheet is a table of records as CSV: one line for each restored crop, with
// what decides its values, so that a later run can go on from it.
type Sheet struct {
	Measures []Measure
	Seed     uint64
	Pack     string // the network's content, by weights.Header.ID
	Border   int
	Official bool
}

func (s Sheet) columns() []string {
	columns := []string{"set", "task", "method", "sampler", "steps", "file", "x", "y", "width", "height", "seed", "pack", "border", "official"}
	for _, m := range s.Measures {
		columns = append(columns, m.Name)
	}
	return columns
}

// common are the columns that all lines share.
func (s Sheet) common() []string {
	return []string{strconv.FormatUint(s.Seed, 10), s.Pack, strconv.Itoa(s.Border), strconv.FormatBool(s.Official)}
}

// Write writes the records; what does not exist is an empty field.
func (s Sheet) Write(w io.Writer, records []Record) error {
	c := csv.NewWriter(w)
	if err := c.Write(s.columns()); err != nil {
		return err
	}
	for _, r := range records {
		line := []string{r.Set, r.Task, r.Method, r.Sampler, strconv.Itoa(r.Steps), r.File, strconv.Itoa(r.X), strconv.Itoa(r.Y), strconv.Itoa(r.W), strconv.Itoa(r.H)}
		line = append(line, s.common()...)
		for _, v := range r.Values {
			field := ""
			if v == v {
				field = strconv.FormatFloat(v, 'g', -1, 64)
			}
			line = append(line, field)
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// Read reads what Write wrote. Records of other measures, or of another seed,
// pack, border or rounding, are an error: they must not be mixed.
func (s Sheet) Read(r io.Reader) (map[Key][]float64, error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 || !slices.Equal(lines[0], s.columns()) {
		return nil, fmt.Errorf("it holds other measures than these; give another file, or remove it")
	}
	done := map[Key][]float64{}
	for n, f := range lines[1:] {
		if !slices.Equal(f[10:14], s.common()) {
			return nil, fmt.Errorf("line %d is of another seed, pack, border or rounding; give another file, or remove it", n+2)
		}
		k := Key{Crop: Crop{File: f[5], Set: f[0]}, Task: f[1], Method: f[2], Sampler: f[3]}
		for i, p := range map[int]*int{4: &k.Steps, 6: &k.X, 7: &k.Y, 8: &k.W, 9: &k.H} {
			if *p, err = strconv.Atoi(f[i]); err != nil {
				return nil, fmt.Errorf("line %d: %q is not a number", n+2, f[i])
			}
		}
		var values []float64
		for _, field := range f[14:] {
			if field == "" {
				field = "NaN"
			}
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %q is not a number", n+2, field)
			}
			values = append(values, v)
		}
		done[k] = values
	}
	return done, nil
}
