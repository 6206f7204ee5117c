package report

import (
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

var (
	// ink can be read on white and on black.
	ink    = color.Gray{128}
	colors = []color.Color{color.RGBA{31, 119, 180, 255}, color.RGBA{214, 90, 20, 255}, color.RGBA{44, 160, 44, 255}, color.RGBA{200, 60, 150, 255},
		color.RGBA{148, 103, 189, 255}, color.RGBA{23, 170, 190, 255}}
)

// plot draws a degradation's perception–distortion curve, PSNR against the
// perceptual distance, and says so; without both, the first measure over the
// steps. It draws nothing where there is no curve or no point of one.
func (r Report) plot(path string, rows []eval.Row) (caption string, err error) {
	column := func(names ...string) int {
		return slices.IndexFunc(r.Measures, func(m eval.Measure) bool { return slices.Contains(names, m.Name) })
	}
	x, y := column("psnr", "psnr-y"), column("perceptual")
	p := plot.New()
	var groups []curve
	if x >= 0 && y >= 0 {
		caption = "Perception and distortion: to the right is nearer to the original, downwards looks more like it. Numbers are network evaluations."
		p.X.Label.Text, p.Y.Label.Text = r.Measures[x].Title, "perceptual distance"
		groups = curves(rows, func(row eval.Row) (float64, float64) { return row.Means[x].Value, row.Means[y].Value })
	} else {
		n := 0
		for _, row := range rows {
			if row.Method == "network" && row.Steps > 0 {
				n++
			}
		}
		if n < 2 {
			return "", nil
		}
		caption = r.Measures[0].Title + " by the number of network evaluations."
		p.X.Label.Text, p.Y.Label.Text = "network evaluations", r.Measures[0].Title
		groups = curves(slices.DeleteFunc(slices.Clone(rows), func(row eval.Row) bool { return row.Method != "network" || row.Steps == 0 }),
			func(row eval.Row) (float64, float64) { return float64(row.Steps), row.Means[0].Value })
	}
	if len(groups) == 0 {
		return "", nil
	}
	draws(p, groups)
	dress(p, len(groups))
	canvas, err := p.WriterTo(12*vg.Centimeter, 8*vg.Centimeter, "svg")
	if err != nil {
		return "", err
	}
	return caption, picture.WriteFile(path, true, func(w io.Writer) error { _, err := canvas.WriteTo(w); return err })
}

// curve is a sampler's steps in their order, or the point of another method.
type curve struct {
	name   string
	points plotter.XYs
	steps  []string // written beside the points
}

// curves are the rows that have a place.
func curves(rows []eval.Row, at func(eval.Row) (float64, float64)) []curve {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b eval.Row) int { return cmp.Compare(a.Steps, b.Steps) })
	var list []curve
	for _, row := range rows {
		x, y := at(row)
		if math.IsNaN(x+y) || math.IsInf(x+y, 0) {
			continue
		}
		name, steps := row.Method, ""
		if row.Method == "network" {
			if row.Sampler != "" {
				name += ", " + row.Sampler
			}
			if steps = fmt.Sprint(row.Steps); row.Steps == 0 {
				steps = "default"
			}
		}
		i := slices.IndexFunc(list, func(c curve) bool { return c.name == name })
		if i < 0 {
			i, list = len(list), append(list, curve{name: name})
		}
		list[i].points, list[i].steps = append(list[i].points, plotter.XY{X: x, Y: y}), append(list[i].steps, steps)
	}
	return list
}

// draws draws curves.
func draws(p *plot.Plot, list []curve) {
	var all plotter.XYs
	for _, c := range list {
		all = append(all, c.points...)
	}
	left, right, bottom, top := plotter.XYRange(all)
	near := func(a, b plotter.XY) bool {
		return math.Abs(a.X-b.X) <= 0.05*(right-left) && math.Abs(a.Y-b.Y) <= 0.05*(top-bottom)
	}
	for i, c := range list {
		// The data are finite, so these cannot fail.
		line, dots, _ := plotter.NewLinePoints(c.points)
		ink := colors[i%len(colors)]
		line.Color, dots.Color = ink, ink
		line.Width = vg.Points(1.5)
		dots.Radius = vg.Points(3.5)
		dots.Shape = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}}[i%4]
		if len(c.points) > 1 {
			p.Add(line)
		}
		// Points that lie together share what is written beside the first.
		steps, first := slices.Clone(c.steps), 0
		for k := 1; k < len(steps); k++ {
			if near(c.points[first], c.points[k]) {
				steps[first] += ", " + steps[k]
				steps[k] = ""
			} else {
				first = k
			}
		}
		labels, _ := plotter.NewLabels(plotter.XYLabels{XYs: c.points, Labels: steps})
		for k := range labels.TextStyle {
			labels.TextStyle[k].Color = ink
			labels.TextStyle[k].Font.Variant = "Sans"
		}
		labels.Offset = vg.Point{X: vg.Points(4), Y: vg.Points(4)}
		p.Add(dots, labels)
		p.Legend.Add(c.name, dots)
	}
}

// dress gives the plot colours that suit light and dark pages, and room for a
// legend of some lines above the points.
func dress(p *plot.Plot, lines int) {
	p.BackgroundColor = color.Transparent
	for _, style := range []*text.Style{&p.Legend.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		style.Font.Variant = "Sans"
	}
	p.Legend.TextStyle.Color = ink
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Label.TextStyle.Color, a.Tick.Color, a.Tick.Label.Color = ink, ink, ink, ink
		a.Padding = vg.Points(6)
		width := a.Max - a.Min // room for what is written beside points
		a.Min, a.Max = a.Min-0.05*width, a.Max+0.12*width
	}
	legend := min(0.5, 0.075*float64(lines)) // of the height
	p.Y.Max += legend / (1 - legend) * (p.Y.Max - p.Y.Min)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.NRGBA{128, 128, 128, 50}, color.NRGBA{128, 128, 128, 50}
	p.Add(grid)
}
