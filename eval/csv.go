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
	Device   string // with its threads, for the seconds
	Border   int
	Official bool
	ResNet   string // Net.ID; "" without
}

// keys are the columns that say what a record is of.
var keys = []string{"set", "task", "method", "sampler", "steps", "file", "x", "y", "width", "height", "original", "made"}

// common are the columns that all lines share, and their values.
func (s Sheet) common() (names, values []string) {
	return []string{"seed", "pack", "device", "border", "official", "resnet"},
		[]string{strconv.FormatUint(s.Seed, 10), s.Pack, s.Device, strconv.Itoa(s.Border), strconv.FormatBool(s.Official), s.ResNet}
}

func (s Sheet) columns() []string {
	names, _ := s.common()
	columns := slices.Concat(keys, names)
	for _, m := range s.Measures {
		columns = append(columns, m.Name)
	}
	return columns
}

// Write writes the records; what does not exist is an empty field.
func (s Sheet) Write(w io.Writer, records []Record) error {
	c := csv.NewWriter(w)
	if err := c.Write(s.columns()); err != nil {
		return err
	}
	_, common := s.common()
	for _, r := range records {
		line := append([]string{r.Set, r.Task, r.Method, r.Sampler, strconv.Itoa(r.Steps), r.File, strconv.Itoa(r.X), strconv.Itoa(r.Y), strconv.Itoa(r.W), strconv.Itoa(r.H),
			r.Original, r.Made}, common...)
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
// pack, device, border, rounding or classifier, are an error: they must not be
// mixed.
func (s Sheet) Read(r io.Reader) ([]Record, error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 || !slices.Equal(lines[0], s.columns()) {
		return nil, fmt.Errorf("it holds other measures than these; give another file, or remove it")
	}
	names, common := s.common()
	var records []Record
	for n, f := range lines[1:] {
		for i, want := range common {
			if got := f[len(keys)+i]; got != want {
				return nil, fmt.Errorf("line %d has the %s %q, this run %q; give another file, or remove it", n+2, names[i], got, want)
			}
		}
		rec := Record{Key: Key{Crop: Crop{File: f[5], Set: f[0]}, Task: f[1], Method: f[2], Sampler: f[3]}, Original: f[10], Made: f[11]}
		for i, p := range map[int]*int{4: &rec.Steps, 6: &rec.X, 7: &rec.Y, 8: &rec.W, 9: &rec.H} {
			if *p, err = strconv.Atoi(f[i]); err != nil {
				return nil, fmt.Errorf("line %d: %q is not a number", n+2, f[i])
			}
		}
		for _, field := range f[len(keys)+len(common):] {
			if field == "" {
				field = "NaN"
			}
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %q is not a number", n+2, field)
			}
			rec.Values = append(rec.Values, v)
		}
		records = append(records, rec)
	}
	return records, nil
}
