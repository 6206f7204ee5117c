package watch

import (
	"io"
	"math"
	"strconv"

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

// Plot writes curves over the steps as a PNG. With log the scale of y is
// logarithmic, if they reach over a decade or more.
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
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(plain), plot.TickerFunc(plain)
	p.Y.Max += 0.05 * float64(len(curves)) * (hi - lo) // room for the legend
	if log && hi >= 10*lo {
		p.Y.Min, p.Y.Max = lo/1.1, hi*2
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
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

// plain are the default ticks with numbers as short as they can be.
func plain(lo, hi float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(lo, hi)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = strconv.FormatFloat(ticks[i].Value, 'g', 6, 64)
		}
	}
	return ticks
}

// Smooth is a curve's mean over as many points as are a tenth of it, around each.
func Smooth(y []float64) []float64 {
	half := max(1, len(y)/20)
	out := make([]float64, len(y))
	for i := range y {
		from, to := max(0, i-half), min(len(y), i+half+1)
		for _, v := range y[from:to] {
			out[i] += v / float64(to-from)
		}
	}
	return out
}
