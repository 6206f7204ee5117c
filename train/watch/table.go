package watch

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Table is a CSV file that grows, whose first column is the step. Numbers are
// kept, so that they can be plotted.
type Table struct {
	file *os.File
	Rows [][]string
}

// OpenTable goes on with a table, or begins one. Of what is there, the rows up to
// step stay: later ones came of a run that was cut off.
func OpenTable(path string, columns []string, step int) (*Table, error) {
	t := &Table{}
	f, err := os.Open(path)
	switch {
	case err == nil:
		r := csv.NewReader(f)
		r.FieldsPerRecord = len(columns)
		for {
			row, err := r.Read()
			if err != nil { // also half a last line
				break
			}
			if n, err := strconv.Atoi(row[0]); err == nil && n <= step {
				t.Rows = append(t.Rows, row)
			}
		}
		f.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	err = picture.WriteFile(path, true, func(w io.Writer) error {
		c := csv.NewWriter(w)
		return c.WriteAll(append([][]string{columns}, t.Rows...))
	})
	if err != nil {
		return nil, err
	}
	t.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o666)
	return t, err
}

// Add appends a row: a step, then names or numbers.
func (t *Table) Add(step int, values ...any) error {
	row := []string{strconv.Itoa(step)}
	for _, v := range values {
		switch v := v.(type) {
		case float64:
			row = append(row, strconv.FormatFloat(v, 'g', 6, 64))
		default:
			row = append(row, fmt.Sprint(v))
		}
	}
	t.Rows = append(t.Rows, row)
	c := csv.NewWriter(t.file)
	_ = c.Write(row)
	c.Flush()
	return c.Error()
}

// Series is a column as a curve over the steps, of the rows that keep accepts.
func (t *Table) Series(column int, keep func(row []string) bool) (x, y []float64) {
	for _, row := range t.Rows {
		if keep != nil && !keep(row) {
			continue
		}
		a, e1 := strconv.ParseFloat(row[0], 64)
		b, e2 := strconv.ParseFloat(row[column], 64)
		if e1 == nil && e2 == nil {
			x, y = append(x, a), append(y, b)
		}
	}
	return x, y
}

// Close closes the file.
func (t *Table) Close() error { return t.file.Close() }
