package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/eval/report"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// output is where an evaluation's results go while it runs.
type output struct {
	*evaluator
	ledger *eval.Ledger // nil without --csv
}

func (o *output) begin(e *evaluator) error {
	o.evaluator = e
	for _, dir := range []string{e.keep, o.pictures()} {
		if dir != "" {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *output) pictures() string {
	if o.evaluator.report == "" {
		return ""
	}
	return filepath.Join(o.evaluator.report, report.Folder)
}

// has tells whether the pictures of a record that is known are there; those of
// --keep and --degraded are made again.
func (o *output) has(r eval.Record) bool {
	if o.keep != "" && r.Method == "network" || o.degraded != "" && r.Method == "degraded" {
		return false
	}
	if o.evaluator.report == "" {
		return true
	}
	for _, name := range []string{report.Picture(o.names[r.Crop], r), report.Original(o.names[r.Crop], r)} {
		if _, err := os.Stat(filepath.Join(o.pictures(), name)); err != nil {
			return false
		}
	}
	return true
}

// each takes one record and its pictures, nil if the record was known.
func (o *output) each(r eval.Record, p *eval.Pictures) error {
	if p != nil {
		if err := o.save(r, p); err != nil {
			return err
		}
	}
	if o.ledger == nil {
		return nil
	}
	return o.ledger.Add(r)
}

func (o *output) save(r eval.Record, p *eval.Pictures) error {
	name := o.names[r.Crop]
	if o.evaluator.report != "" {
		if err := savePNG(filepath.Join(o.pictures(), report.Picture(name, r)), p.Restored); err != nil {
			return err
		}
		original := filepath.Join(o.pictures(), report.Original(name, r))
		if _, err := os.Stat(original); errors.Is(err, fs.ErrNotExist) {
			if err := savePNG(original, p.X0); err != nil {
				return err
			}
		}
	}
	switch r.Method {
	case "degraded":
		if o.degraded != "" {
			return o.saveDegraded(name, r, p)
		}
	case "network":
		if o.keep != "" {
			file := fmt.Sprintf("%s.%s.%s%d.png", name, r.Task, r.Sampler, r.Steps)
			return savePNG(filepath.Join(o.keep, file), beside(p.X0, p.X1, p.Restored))
		}
	}
	return nil
}

// saveDegraded writes what another program is to restore.
func (o *output) saveDegraded(name string, r eval.Record, p *eval.Pictures) error {
	x, op := p.X1, degrade.Operator(nil)
	op, err := degrade.Parse(r.Task)
	if err != nil {
		return err
	}
	if s, ok := op.(degrade.Shrinker); ok && runtime.Family(op.Name()) == "sr4x" {
		if x, err = s.Small(p.X0, o.seed); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(o.degraded, r.Task), 0o755); err != nil {
		return err
	}
	return savePNG(filepath.Join(o.degraded, r.Task, name+".png"), x)
}

func savePNG(path string, x *bridge.Image) error {
	return picture.WriteFile(path, true, func(w io.Writer) error {
		return picture.Encode(w, &picture.Picture{Image: x, Depth: 8}, "png", 0)
	})
}

// beside joins pictures from left to right.
func beside(xs ...*bridge.Image) *bridge.Image {
	wide := bridge.NewImage(xs[0].C, xs[0].H, len(xs)*xs[0].W)
	for i, x := range xs {
		for ch := range x.C {
			for y := range x.H {
				copy(wide.Plane(ch)[y*wide.W+i*x.W:], x.Plane(ch)[y*x.W:(y+1)*x.W])
			}
		}
	}
	return wide
}

func (o *output) report(records []eval.Record, rows []eval.Row) error {
	return report.Write(o.evaluator.report, report.Report{Measures: o.run.Measures(), Records: records, Rows: rows, Names: o.names,
		Title: "i2sb-run eval", Facts: o.facts})
}

// simple tells that PSNR of the network alone was asked for.
func (e *evaluator) simple() bool {
	return len(e.run.Metrics) == 1 && e.run.Metrics[0].Name == "psnr" && !e.classical && len(e.compare) == 0 && e.resnet == "" && e.inception == ""
}

// print prints the means as a table or as JSON.
func (e *evaluator) print(rows []eval.Row) error {
	if e.asJSON {
		j := json.NewEncoder(e.stdout)
		j.SetIndent("", " ")
		return j.Encode(e.lines(rows))
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	if e.simple() {
		fmt.Fprintln(t, "set\tdegradation\tsampler\tsteps\tcrops\tdegraded dB\trestored dB")
		for _, l := range e.lines(rows) {
			if l.Method == "network" {
				fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%.2f\t%.2f\n", l.Set, l.Task, l.Sampler, l.Steps, l.Crops, *l.Before, *l.After)
			}
		}
		return t.Flush()
	}
	fmt.Fprint(t, "set\tdegradation\tmethod\tsampler\tsteps\tcrops")
	for _, m := range e.run.Measures() {
		fmt.Fprintf(t, "\t%s", m.Title)
	}
	if e.inception != "" {
		fmt.Fprint(t, "\tFID")
	}
	fmt.Fprintln(t)
	for _, r := range rows {
		steps := ""
		if r.Method == "network" {
			steps = fmt.Sprint(r.Steps)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d", r.Set, r.Task, r.Method, r.Sampler, steps, r.Crops)
		for i, m := range e.run.Measures() {
			fmt.Fprintf(t, "\t%s", report.Number(r.Means[i], m.Digits))
		}
		if r.FID != nil {
			fmt.Fprintf(t, "\t%.2f", *r.FID)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// line is a row as JSON.
type line struct {
	Set     string               `json:"set"`
	Task    string               `json:"task"`
	Method  string               `json:"method"`
	Sampler string               `json:"sampler"` // "": the pack's default
	Steps   int                  `json:"steps"`   // 0: the pack's default
	Crops   int                  `json:"crops"`
	Before  *float64             `json:"psnr_degraded,omitempty"`
	After   *float64             `json:"psnr_restored,omitempty"`
	Metrics map[string]eval.Mean `json:"metrics"`
	FID     *float64             `json:"fid,omitempty"`
}

func (e *evaluator) lines(rows []eval.Row) []line {
	var lines []line
	before := map[[2]string]*float64{}
	for _, r := range rows {
		l := line{Set: r.Set, Task: r.Task, Method: r.Method, Sampler: r.Sampler, Steps: r.Steps, Crops: r.Crops, Metrics: map[string]eval.Mean{}, FID: r.FID}
		for i, m := range e.run.Measures() {
			l.Metrics[m.Name] = r.Means[i]
			if v := r.Means[i].Value; m.Name == "psnr" && !math.IsNaN(v) && (!math.IsInf(v, 0) || !e.asJSON) {
				if r.Method == "degraded" {
					before[[2]string{r.Set, r.Task}] = &v
				}
				l.Before, l.After = before[[2]string{r.Set, r.Task}], &v
			}
		}
		if r.Method != "degraded" || !e.simple() {
			lines = append(lines, l)
		}
	}
	return lines
}
