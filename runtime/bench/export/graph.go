package export

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// graph turns an unfused plan into an ONNX graph of opset 17, every operator
// as the field's exporters write it, but for two kindnesses: GroupNorm's γ, β and the
// time step's scale and shift are joined before they meet the picture, and
// sizes are constants, so that a runtime can plan its memory.
type graph struct {
	p     *plan.Plan
	place func(name string) (offset, bytes int64) // of a weight in weightsFile
	g     message
	n     int
	norms map[plan.Value]*plan.Norm // by the affine value that they make
	known map[string]bool           // initializers that there are
}

const opset = 17

// model is the ModelProto.
func model(p *plan.Plan, place func(string) (offset, bytes int64)) (message, error) {
	g := &graph{p: p, place: place, norms: map[plan.Value]*plan.Norm{}, known: map[string]bool{}}
	for _, op := range p.Ops {
		if err := g.op(op); err != nil {
			return nil, err
		}
	}
	for i, w := range p.Params {
		if !g.known[w.Name] {
			return nil, fmt.Errorf("export: weight %d, %s, is not used", i, w.Name)
		}
	}
	x, y, t := p.Shape(p.X), p.Shape(p.Output), p.Shape(p.Time)
	g.g.text(2, "unet")
	g.g.bytes(11, valueInfo(g.value(p.X), x.N, x.C, x.H, x.W))
	g.g.bytes(11, valueInfo(g.value(p.Time), t.N, t.C))
	g.g.bytes(12, valueInfo(g.value(p.Output), y.N, y.C, y.H, y.W))
	var set, m message
	set.number(2, opset)
	m.number(1, 8) // IR version
	m.text(2, "i2sb")
	m.bytes(7, g.g)
	m.bytes(8, set)
	return m, nil
}

// value names a tensor.
func (g *graph) value(v plan.Value) string {
	switch v {
	case g.p.X:
		return "x"
	case g.p.Time:
		return "t"
	case g.p.Output:
		return "y"
	}
	return fmt.Sprintf("v%d", v)
}

// node adds a node whose one output gets the given name, or a new one.
func (g *graph) node(op, out string, attrs map[string]any, in ...string) string {
	return g.nodes(op, []string{out}, attrs, in...)[0]
}

func (g *graph) nodes(op string, out []string, attrs map[string]any, in ...string) []string {
	var n message
	for _, s := range in {
		n.text(1, s)
	}
	for i := range out {
		if out[i] == "" {
			g.n++
			out[i] = fmt.Sprintf("n%d", g.n)
		}
		n.text(2, out[i])
	}
	n.text(4, op)
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		n.bytes(5, attribute(k, attrs[k]))
	}
	g.g.bytes(1, n)
	return out
}

// constant is a small tensor of the graph itself.
func (g *graph) constant(t tensor) string {
	if !g.known[t.name] {
		g.known[t.name] = true
		g.g.bytes(5, t.encode())
	}
	return t.name
}

func (g *graph) ints(v ...int64) string {
	return g.constant(tensor{name: fmt.Sprint("ints", v), dims: []int64{int64(len(v))}, typ: int64Type, raw: int64s(v)})
}

// filled is n times a number.
func (g *graph) filled(x float32, n int) string {
	v := slices.Repeat([]float32{x}, n)
	return g.constant(tensor{name: fmt.Sprintf("%d×%g", n, x), dims: []int64{int64(n)}, typ: float32Type, raw: float32s(v)})
}

// weight is a parameter, seen with other dimensions if any are given.
func (g *graph) weight(w plan.Param, dims ...int64) string {
	i := g.p.Params[w]
	if dims == nil {
		for _, d := range i.Shape {
			dims = append(dims, int64(d))
		}
	}
	at, n := g.place(i.Name)
	return g.constant(tensor{name: i.Name, dims: dims, typ: float32Type, file: weightsFile, offset: at, bytes: n})
}

func (g *graph) silu(x, out string) string {
	return g.node("Mul", out, nil, x, g.node("Sigmoid", "", nil, x))
}

func (g *graph) op(op plan.Op) error {
	y := g.value(op.Out())
	switch o := op.(type) {
	case *plan.Norm:
		g.norms[o.Y] = o
	case *plan.Map:
		return g.pointwise(o, y)
	case *plan.Conv:
		s, k := g.p.Shape(o.Y), int64(o.Kernel)
		pad, stride := k/2, int64(o.Stride)
		w := g.weight(o.W, int64(s.C), int64(g.p.Channels(o.X)), k, k)
		g.node("Conv", y, map[string]any{"kernel_shape": []int64{k, k}, "pads": []int64{pad, pad, pad, pad}, "strides": []int64{stride, stride}},
			g.value(o.X[0]), w, g.weight(o.B))
	case *plan.Linear:
		x := g.value(o.X)
		if o.SiLU {
			x = g.silu(x, "")
		}
		g.node("Gemm", y, map[string]any{"transB": 1}, x, g.weight(o.W), g.weight(o.B))
	case *plan.Attention:
		g.attention(o, y)
	default:
		return fmt.Errorf("export: %s: networks with class labels are not exported", op.Name())
	}
	return nil
}

// pointwise writes a Map that does one thing, as all of an unfused plan do.
func (g *graph) pointwise(o *plan.Map, y string) error {
	x := g.value(o.X[0])
	switch {
	case o.Affine != plan.None:
		g.groupNorm(g.norms[o.Affine], y)
	case o.SiLU:
		g.silu(x, y)
	case o.Resample == plan.Up:
		scales := g.constant(tensor{name: "twice", dims: []int64{4}, typ: float32Type, raw: float32s([]float32{1, 1, 2, 2})})
		g.node("Resize", y, map[string]any{"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}, x, "", scales)
	case o.Resample == plan.Down:
		g.node("AveragePool", y, map[string]any{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}}, x)
	case len(o.X) == 2:
		g.node("Concat", y, map[string]any{"axis": 1}, x, g.value(o.X[1]))
	case o.Residual != plan.None:
		g.node("Add", y, nil, x, g.value(o.Residual))
	case o.Shift != plan.None:
		g.node("Add", y, nil, x, g.node("Unsqueeze", "", nil, g.value(o.Shift), g.ints(2, 3)))
	default:
		return fmt.Errorf("export: %s does nothing", o.Name())
	}
	return nil
}

// groupNorm is InstanceNormalization of the groups, as PyTorch exports it.
func (g *graph) groupNorm(o *plan.Norm, y string) {
	s := g.p.Shape(o.X[0])
	n, c, groups := int64(s.N), int64(s.C), int64(o.Groups)
	flat := g.node("Reshape", "", nil, g.value(o.X[0]), g.ints(n, groups, -1))
	unit := g.node("InstanceNormalization", "", map[string]any{"epsilon": float32(o.Eps)}, flat, g.filled(1, o.Groups), g.filled(0, o.Groups))
	unit = g.node("Reshape", "", nil, unit, g.ints(n, c, int64(s.H), int64(s.W)))
	gamma, beta := g.weight(o.Gamma, 1, c, 1, 1), g.weight(o.Beta, 1, c, 1, 1)
	if o.ScaleShift != plan.None {
		halves := g.nodes("Split", []string{"", ""}, map[string]any{"axis": 1}, g.node("Unsqueeze", "", nil, g.value(o.ScaleShift), g.ints(2, 3)))
		scale := g.node("Add", "", nil, halves[0], g.filled(1, 1))
		gamma = g.node("Mul", "", nil, gamma, scale)
		beta = g.node("Add", "", nil, g.node("Mul", "", nil, beta, scale), halves[1])
	}
	g.node("Add", y, nil, g.node("Mul", "", nil, unit, gamma), beta)
}

// attention multiplies q by 1/√d, which is cheaper than the scores.
func (g *graph) attention(o *plan.Attention, y string) {
	s := g.p.Shape(o.Y)
	n, heads, d, area := int64(s.N), int64(o.Heads), int64(s.C/o.Heads), int64(s.H*s.W)
	var q, k, v string
	split := func(x string) {
		parts := g.nodes("Split", []string{"", "", ""}, map[string]any{"axis": 1}, x)
		q, k, v = parts[0], parts[1], parts[2]
	}
	if o.NewOrder {
		shape := g.ints(n*heads, d, area)
		split(g.value(o.QKV))
		q, k, v = g.node("Reshape", "", nil, q, shape), g.node("Reshape", "", nil, k, shape), g.node("Reshape", "", nil, v, shape)
	} else {
		split(g.node("Reshape", "", nil, g.value(o.QKV), g.ints(n*heads, 3*d, area)))
	}
	swap := map[string]any{"perm": []int64{0, 2, 1}}
	q = g.node("Mul", "", nil, q, g.filled(float32(1/math.Sqrt(float64(d))), 1))
	w := g.node("Softmax", "", map[string]any{"axis": -1}, g.node("MatMul", "", nil, g.node("Transpose", "", swap, q), k))
	a := g.node("MatMul", "", nil, v, g.node("Transpose", "", swap, w))
	g.node("Reshape", y, nil, a, g.ints(n, int64(s.C), int64(s.H), int64(s.W)))
}
