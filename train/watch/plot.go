package watch

import (
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Curve is a line of a plot.
type Curve struct {
	Name string
	X, Y []float64
}

// Plot writes curves over the steps as a PNG; log makes the scale of y
// logarithmic.
func Plot(path, title, unit string, log bool, curves []Curve) error {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = "steps"
	p.Y.Label.Text = unit
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	drawn, lo, hi := 0, math.Inf(1), math.Inf(-1)
	for i, c := range curves {
		var points plotter.XYs
		for k := range c.X {
			if y := c.Y[k]; !math.IsNaN(y) && !math.IsInf(y, 0) && (!log || y > 0) {
				points = append(points, plotter.XY{X: c.X[k], Y: y})
				lo, hi = min(lo, y), max(hi, y)
			}
		}
		if len(points) == 0 {
			continue
		}
		l, err := plotter.NewLine(points)
		if err != nil {
			return err
		}
		l.Color, l.Dashes, l.Width = plotutil.Color(i), plotutil.Dashes(i/7), vg.Points(1.2)
		p.Add(l)
		if c.Name != "" {
			p.Legend.Add(c.Name, l)
		}
		drawn += len(points)
	}
	if drawn == 0 {
		return nil
	}
	if log {
		p.Y.Min, p.Y.Max = lo/1.1, hi*1.1
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 2}
	}
	w, err := p.WriterTo(22*vg.Centimeter, 13*vg.Centimeter, "png")
	if err != nil {
		return err
	}
	return picture.WriteFile(path, true, func(out io.Writer) error {
		_, err := w.WriteTo(out)
		return err
	})
}
