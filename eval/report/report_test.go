package report

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/eval"
)

// TestPage writes a page and looks at what it asks for.
func TestPage(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, Folder), 0o777); err != nil {
		t.Fatal(err)
	}
	crop := eval.Crop{File: "a.png", W: 8, H: 8, Set: "main"}
	r := Report{Title: "A <title>", Facts: [][2]string{{"pack", `"p"`}}, Names: map[eval.Crop]string{crop: "a"},
		Measures: []eval.Measure{{Name: "psnr", Title: "PSNR dB", Digits: 2}, {Name: "perceptual", Title: "perceptual", Lower: true, Digits: 4}, {Name: "seconds", Title: "seconds", Lower: true, Digits: 1}}}
	for i, k := range []eval.Key{{Method: "degraded"}, {Method: "a/b <c>"}, {Method: "network", Sampler: "ode", Steps: 1}, {Method: "network", Sampler: "ode", Steps: 10}, {Method: "network"}} {
		k.Task, k.Crop = "jpeg-10", crop
		values := []float64{20 + float64(i), 0.5 / float64(i+1), 1}
		r.Records = append(r.Records, eval.Record{Key: k, Original: "00112233445566", Made: fmt.Sprintf("%d0112233445566", i), Values: values})
		k.Crop = eval.Crop{Set: "main"}
		row := eval.Row{Key: k, Crops: 1}
		for _, v := range values {
			row.Means = append(row.Means, eval.NewMean([]float64{v, v + 1, v + 2}))
		}
		r.Rows = append(r.Rows, row)
	}
	r.Rows[1].Means[0] = eval.NewMean(nil) // a metric that does not exist
	if err := Write(dir, r); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{"A &lt;title&gt;", "a/b &lt;c&gt;", "network, ode, 10 steps", "network, default steps", "<b>25.00</b>", "–",
		"pictures/a.original.00112233.png", "pictures/a.jpeg-10.network__ode__10_steps.30112233.png", "pictures/a.jpeg-10.a_b__c_.10112233.png", "pictures/curve.main.jpeg-10.svg"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, address := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if a := address[1]; !strings.HasPrefix(a, "pictures/") && !strings.HasPrefix(a, "#") {
			t.Errorf("the page asks for %q", a)
		}
	}
	svg, err := os.ReadFile(filepath.Join(dir, "pictures", "curve.main.jpeg-10.svg"))
	if err != nil || !strings.Contains(string(svg), ">10<") || !strings.Contains(string(svg), "perceptual distance") {
		t.Errorf("the curve: %v", err)
	}
}

// TestNoPoints: what small crops have no figures for gets no plot.
func TestNoPoints(t *testing.T) {
	dir := t.TempDir()
	r := Report{Measures: []eval.Measure{{Name: "psnr", Title: "PSNR dB"}, {Name: "perceptual", Title: "perceptual", Lower: true}}}
	for _, method := range []string{"degraded", "network"} {
		r.Rows = append(r.Rows, eval.Row{Key: eval.Key{Method: method}, Means: []eval.Mean{{Value: 20, N: 1}, {Value: math.NaN()}}})
	}
	if caption, err := r.plot(filepath.Join(dir, "curve.svg"), r.Rows); caption != "" || err != nil {
		t.Errorf("%q, %v", caption, err)
	}
	r.Measures = r.Measures[:1]
	for i := range r.Rows {
		r.Rows[i].Method, r.Rows[i].Steps, r.Rows[i].Means = "network", i+1, []eval.Mean{{Value: 20, N: 1}}
	}
	if caption, err := r.plot(filepath.Join(dir, "flat.svg"), r.Rows); caption == "" || err != nil {
		t.Errorf("equal values: %q, %v", caption, err)
	}
}

func TestNumber(t *testing.T) {
	for want, m := range map[string]eval.Mean{"–": {Value: math.NaN()}, "∞": {Value: math.Inf(1), N: 3}, "1.5": {Value: 1.5, Low: math.NaN(), N: 2}, "1.5 ±0.2": {Value: 1.5, Low: 1.25, High: 1.75, N: 9}} {
		if got := Number(m, 1); got != want {
			t.Errorf("%+v: %s, want %s", m, got, want)
		}
	}
}
