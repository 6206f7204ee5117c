// Package report writes what was measured as a page: index.html and a folder
// of pictures, which asks for nothing from elsewhere.
package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"path"
	"path/filepath"
	"strings"

	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Folder is where the pictures lie, beside index.html.
const Folder = "pictures"

// Report is what the page shows.
type Report struct {
	Title    string
	Facts    [][2]string // name and value
	Measures []eval.Measure
	Records  []eval.Record
	Rows     []eval.Row
	Names    map[eval.Crop]string
}

// Original is the file name of a crop's original. Like Picture's it holds a
// fingerprint, so that a picture that is there already is the right one.
func Original(name string, r eval.Record) string {
	return fmt.Sprintf("%s.original.%.8s.png", name, r.Original)
}

// Picture is the file name of what a method made of a crop.
func Picture(name string, r eval.Record) string {
	return fmt.Sprintf("%s.%s.%s.%.8s.png", name, r.Task, safe(label(r.Key)), r.Made)
}

// safe leaves what every file system and address takes.
func safe(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, name)
}

// label is a method with its sampler and steps.
func label(k eval.Key) string {
	if k.Method != "network" {
		return k.Method
	}
	parts := []string{k.Method}
	if k.Sampler != "" {
		parts = append(parts, k.Sampler)
	}
	switch k.Steps {
	case 0:
		parts = append(parts, "default steps")
	case 1:
		parts = append(parts, "1 step")
	default:
		parts = append(parts, fmt.Sprintf("%d steps", k.Steps))
	}
	return strings.Join(parts, ", ")
}

// Number prints a mean with half the width of its interval.
func Number(m eval.Mean, digits int) string {
	switch {
	case m.N == 0 || math.IsNaN(m.Value):
		return "–"
	case math.IsInf(m.Value, 0):
		return "∞"
	case math.IsNaN(m.Low):
		return fmt.Sprintf("%.*f", digits, m.Value)
	}
	return fmt.Sprintf("%.*f ±%.*f", digits, m.Value, digits, (m.High-m.Low)/2)
}

//go:embed page.html
var page string

var pageTemplate = template.Must(template.New("page").Parse(page))

// Write writes index.html and the plots into dir, whose folder of pictures
// the caller has filled.
func Write(dir string, r Report) error {
	view, err := r.view(dir)
	if err != nil {
		return err
	}
	return picture.WriteFile(filepath.Join(dir, "index.html"), true, func(w io.Writer) error { return pageTemplate.Execute(w, view) })
}

// page's data.
type (
	view struct {
		Title    string
		Facts    [][2]string
		Sections []section
	}
	section struct {
		ID, Set, Task, Plot, Caption string
		Heads                        []string
		Lines                        []tableLine
		Methods                      []string // of the pictures, the original last
		Left, Right                  string
		Pairs                        []pair
	}
	tableLine struct {
		Network bool
		Cells   []cell
	}
	cell struct {
		Text, Range string
		Best        bool
	}
	pair struct {
		Name        string
		Left, Right string            // shown first
		Files       map[string]string // by method
		Values      map[string]string
	}
)

func (r Report) view(dir string) (view, error) {
	v := view{Title: r.Title, Facts: r.Facts}
	for i := 0; i < len(r.Rows); {
		end := i
		for end < len(r.Rows) && r.Rows[end].Set == r.Rows[i].Set && r.Rows[end].Task == r.Rows[i].Task {
			end++
		}
		s := r.section(r.Rows[i:end])
		s.ID = fmt.Sprintf("s%d", len(v.Sections))
		file := fmt.Sprintf("curve.%s.%s.svg", safe(s.Set), safe(s.Task))
		var err error
		if s.Caption, err = r.plot(filepath.Join(dir, Folder, file), r.Rows[i:end]); err != nil {
			return v, err
		}
		if s.Caption != "" {
			s.Plot = path.Join(Folder, file)
		}
		v.Sections = append(v.Sections, s)
		i = end
	}
	return v, nil
}

// section is a degradation's table and pictures.
func (r Report) section(rows []eval.Row) section {
	s := section{Set: rows[0].Set, Task: rows[0].Task}
	for _, m := range r.Measures {
		s.Heads = append(s.Heads, m.Title)
	}
	fid := rows[0].FID != nil
	if fid {
		s.Heads = append(s.Heads, "FID")
	}
	for _, row := range rows {
		l := tableLine{Network: row.Method == "network", Cells: []cell{{Text: label(row.Key)}, {Text: fmt.Sprint(row.Crops)}}}
		for i, m := range r.Measures {
			c := cell{Text: Number(eval.Mean{Value: row.Means[i].Value, Low: math.NaN(), N: row.Means[i].N}, m.Digits)}
			if !math.IsNaN(row.Means[i].Low) {
				c.Range = fmt.Sprintf("%.*f…%.*f", m.Digits, row.Means[i].Low, m.Digits, row.Means[i].High)
			}
			c.Best = m.Name != "seconds" && best(rows, m.Lower, func(q eval.Row) float64 { return q.Means[i].Value }) == row.Means[i].Value
			l.Cells = append(l.Cells, c)
		}
		if fid {
			l.Cells = append(l.Cells, cell{Text: fmt.Sprintf("%.2f", *row.FID), Best: best(rows, true, func(q eval.Row) float64 { return *q.FID }) == *row.FID})
		}
		s.Lines = append(s.Lines, l)
		s.Methods = append(s.Methods, label(row.Key))
	}
	s.Left, s.Right = s.Methods[0], s.Methods[len(s.Methods)-1]
	for _, row := range rows {
		if row.Method == "network" {
			s.Right = label(row.Key)
			break
		}
	}
	s.Methods = append(s.Methods, "original")
	s.Pairs = r.pairs(s)
	return s
}

func best(rows []eval.Row, lower bool, of func(eval.Row) float64) float64 {
	most := math.NaN()
	for _, row := range rows {
		v := of(row)
		if row.Method != "degraded" && (math.IsNaN(most) || lower && v < most || !lower && v > most) {
			most = v
		}
	}
	return most
}

// pairs are the crops of a section.
func (r Report) pairs(s section) []pair {
	var pairs []pair
	at := map[eval.Crop]int{}
	for _, rec := range r.Records {
		if rec.Set != s.Set || rec.Task != s.Task {
			continue
		}
		i, ok := at[rec.Crop]
		if !ok {
			i = len(pairs)
			at[rec.Crop] = i
			name := r.Names[rec.Crop]
			pairs = append(pairs, pair{Name: name, Values: map[string]string{},
				Files: map[string]string{"original": path.Join(Folder, Original(name, rec))}})
		}
		p, method := &pairs[i], label(rec.Key)
		p.Files[method] = path.Join(Folder, Picture(p.Name, rec))
		var values []string
		for k, m := range r.Measures {
			if (k == 0 || m.Name == "perceptual") && !math.IsNaN(rec.Values[k]) {
				values = append(values, fmt.Sprintf("%s %.*f", m.Title, m.Digits, rec.Values[k]))
			}
		}
		p.Values[method] = strings.Join(values, ", ")
	}
	for i := range pairs {
		pairs[i].Left, pairs[i].Right = pairs[i].Files[s.Left], pairs[i].Files[s.Right]
	}
	return pairs
}
