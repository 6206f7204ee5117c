package train

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/checkpoint"
	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/train/watch"
	"github.com/i2sb-go/i2sb/weights"
)

// descriptions of the families of tasks, for people.
var descriptions = map[string]string{"jpeg": "blocks and ringing of JPEG", "sr4x": "four times larger", "deblur": "blur", "inpaint": "fill holes",
	"decolor": "colour for grey pictures", "mixture": "one of the reference's nine degradations, unknown which"}

// walks are the samplers that were best in several steps by OT-ODE networks, by
// family (RATIONALE.md); of the others nothing is known, and they take ode.
var walks = map[string]bridge.Sampler{"jpeg": bridge.Overshoot, "deblur": bridge.Overshoot, "sr4x": bridge.Early, "inpaint": bridge.Early}

// tasks are the families that a recipe trains, with what they saw.
func tasks(r *recipe.Recipe) []weights.Task {
	standard := weights.Task{Steps: 1, Clip: true, LastX0: true}
	if r.Data.Pairs != "" {
		standard.Name, standard.Description = r.Name, "pairs of "+filepath.Base(r.Data.Pairs)
		return []weights.Task{standard}
	}
	var list []weights.Task
	for _, d := range r.Degradations {
		name := runtime.Family(d.Name)
		i := slices.IndexFunc(list, func(t weights.Task) bool { return t.Name == name })
		if i < 0 {
			t := standard
			t.Name, t.Description = name, descriptions[name]
			if s, ok := walks[name]; ok && r.Bridge.OTODE {
				t.Sampler = s.String()
			}
			list, i = append(list, t), len(list)
		}
		list[i].Trained = append(list[i].Trained, d.Name)
	}
	return list
}

// header is that of the pack that would come of a state.
func (t *training) header(s checkpoint.State) weights.Header {
	r := t.recipe
	h := weights.Header{Name: r.Name, Network: r.Network, Bridge: r.Bridge, Tasks: tasks(r), Licence: r.Licence, Credits: r.Credits, Metrics: t.metrics}
	of := fmt.Sprintf("%d photographs of %s", t.items, filepath.Base(r.Data.Photos))
	if r.Data.Pairs != "" {
		of = fmt.Sprintf("%d pairs of %s", t.items, filepath.Base(r.Data.Pairs))
	}
	var crops []string
	for _, c := range t.drawer.crops {
		crops = append(crops, fmt.Sprintf("%d of %d×%d", c.Batch, c.Size, c.Size))
	}
	from := "random weights"
	if r.Init != "" {
		from = filepath.Base(r.Init)
	}
	h.Provenance = fmt.Sprintf("i2sb-run train: %s; %d steps, %d crops (%s) in %.2f hours on %s; from %s; %s × (σ/σ_max)^%g, %g of the crops x1 itself, %g of the other times from %g on; %s, rate %g (%s), EMA %g, seed %d",
		of, s.Steps, s.Images, strings.Join(crops, " or "), s.Seconds/3600, t.device, from, loss(r), r.Loss.Sigma, r.Times.Start, r.Times.Near, r.Times.From,
		map[string]string{recipe.AdamW: "AdamW", recipe.Muon: "Muon"}[r.Optimizer.Method], r.Optimizer.Rate, r.Optimizer.Schedule, r.Optimizer.Average, r.Seed)
	if o := r.Optimizer.Only; len(o) > 0 {
		h.Provenance += "; only the layers " + strings.Join(o, ", ") + " learnt"
	}
	if len(s.Changes) > 0 {
		h.Provenance += "; changed on the way: " + strings.Join(s.Changes, ", ")
	}
	return h
}

// loss names what is lowered.
func loss(r *recipe.Recipe) string {
	if e := r.Loss.Charbonnier; e > 0 {
		return fmt.Sprintf("Charbonnier's loss (%g)", e)
	}
	return "loss"
}

// figures are the metrics of a header: those that are numbers.
func figures(rows []watch.Row) map[string]float64 {
	m := map[string]float64{}
	for _, r := range rows {
		name := r.Task
		if name == "" {
			name = "pairs"
		}
		m[fmt.Sprintf("psnr.%s.degraded", name)] = round(r.Before)
		if !math.IsNaN(r.After) {
			m[fmt.Sprintf("psnr.%s.nfe%d", name, r.NFE)] = round(r.After)
		}
	}
	return m
}

func round(v float64) float64 { return float64(int(v*1000+0.5)) / 1000 }
