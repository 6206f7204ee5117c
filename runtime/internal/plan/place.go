package plan

import "sort"

// Align is the alignment of every value in the arena, in elements: 256 bytes,
// which is what WebGPU asks of a binding and more than a cache line.
const Align = 64

// life is the span of operators in which a value must keep its place.
type life struct {
	v           Value
	first, last int
}

// place gives every value an offset. Values that never live at the same time
// may share memory. The largest are placed first, each at the lowest offset
// that is free for its whole life.
func (p *Plan) place() {
	lives := p.lives()
	sort.SliceStable(lives, func(i, j int) bool {
		return p.Values[lives[i].v].Shape.Len() > p.Values[lives[j].v].Shape.Len()
	})
	p.Arena = 0
	var placed []life // in order of offset
	for _, l := range lives {
		n := round(p.Values[l.v].Shape.Len())
		at := 0
		for _, o := range placed {
			if o.last < l.first || l.last < o.first {
				continue
			}
			start := p.Values[o.v].Offset
			if start-at >= n {
				break
			}
			at = max(at, start+round(p.Values[o.v].Shape.Len()))
		}
		p.Values[l.v].Offset = at
		p.Arena = max(p.Arena, at+n)
		i := sort.Search(len(placed), func(i int) bool { return p.Values[placed[i].v].Offset > at })
		placed = append(placed[:i], append([]life{l}, placed[i:]...)...)
	}
}

func round(n int) int { return (n + Align - 1) / Align * Align }

func (p *Plan) lives() []life {
	first := make([]int, len(p.Values))
	last := make([]int, len(p.Values))
	for i := range first {
		first[i], last[i] = -1, -2
	}
	for _, v := range p.Inputs() {
		first[v], last[v] = 0, 0
	}
	for i, op := range p.Ops {
		y := op.Out()
		first[y], last[y] = i, i
		for _, x := range op.In() {
			last[x] = i
		}
	}
	last[p.Output] = len(p.Ops)
	var l []life
	for v := range p.Values {
		if last[v] >= first[v] {
			l = append(l, life{Value(v), first[v], last[v]})
		}
	}
	return l
}
