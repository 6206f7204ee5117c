package bench

import (
	"fmt"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// describe names an operator by the work it does, so that equal ones share a
// row: conv3x3/64-64/256x256/norm+silu.
func describe(p *plan.Plan, op plan.Op) string {
	y := p.Shape(op.Out())
	size := fmt.Sprintf("%dx%d", y.W, y.H)
	switch o := op.(type) {
	case *plan.Conv:
		name := fmt.Sprintf("conv%dx%d/%d-%d/%s", o.Kernel, o.Kernel, p.Channels(o.X), y.C, size)
		if o.Stride > 1 {
			name += fmt.Sprintf("/stride%d", o.Stride)
		}
		return name + reads(o.Read) + writes(o.Write)
	case *plan.Map:
		return fmt.Sprintf("map/%d/%s", y.C, size) + reads(o.Read) + writes(o.Write)
	case *plan.Norm:
		x := p.Shape(o.X[0])
		return fmt.Sprintf("norm/%d/%dx%d", p.Channels(o.X), x.W, x.H)
	case *plan.Linear:
		return fmt.Sprintf("linear/%d-%d", p.Shape(o.X).C, y.C)
	case *plan.Attention:
		return fmt.Sprintf("attention/%dheads-%d/%s", o.Heads, y.C, size)
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", op), "*plan."))
}

var resamples = map[plan.Resample]string{plan.Up: "up", plan.Down: "down"}

func reads(r plan.Read) string {
	var s []string
	if r.Affine != plan.None {
		s = append(s, "norm")
	}
	if r.SiLU {
		s = append(s, "silu")
	}
	if t := resamples[r.Resample]; t != "" {
		s = append(s, t)
	}
	if len(s) == 0 {
		return ""
	}
	return "/" + strings.Join(s, "+")
}

func writes(w plan.Write) string {
	if w.Residual == plan.None {
		return ""
	}
	return "/residual" + resamples[w.ResidualResample]
}
