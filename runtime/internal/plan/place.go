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

// place gives every value an offset in the arena.
func (p *Plan) place() {
	offsets, n := p.Layout(func(v Value) int { return p.Values[v].Shape.Len() })
	for v := range p.Values {
		p.Values[v].Offset = offsets[v]
	}
	p.Arena = n
}

// Layout gives values of any size places in one piece of memory, and its
// size, in elements. Values that never live at the same time may share
// memory. The largest are placed first, each at the lowest offset that is free
// for its whole life.
func (p *Plan) Layout(size func(Value) int) (offsets []int, total int) {
	return p.LayoutPages(size, 0)
}

// LayoutPages is Layout in memory that comes in pages of some elements, a
// multiple of Align: no value lies across a border. No value may be larger.
func (p *Plan) LayoutPages(size func(Value) int, page int) (offsets []int, total int) {
	fit := func(at, n int) int {
		if page > 0 && at/page != (at+n-1)/page {
			return (at/page + 1) * page
		}
		return at
	}
	lives := p.lives()
	sort.SliceStable(lives, func(i, j int) bool { return size(lives[i].v) > size(lives[j].v) })
	offsets = make([]int, len(p.Values))
	var placed []life // in order of offset
	for _, l := range lives {
		n := round(size(l.v))
		at := 0
		for _, o := range placed {
			if o.last < l.first || l.last < o.first {
				continue
			}
			start := offsets[o.v]
			if start-at >= n {
				break
			}
			at = fit(max(at, start+round(size(o.v))), n)
		}
		offsets[l.v] = at
		total = max(total, at+n)
		i := sort.Search(len(placed), func(i int) bool { return offsets[placed[i].v] > at })
		placed = append(placed[:i], append([]life{l}, placed[i:]...)...)
	}
	return offsets, total
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
		if y := op.Out(); y != None {
			if first[y] < 0 { // else it is added to
				first[y] = i
			}
			last[y] = i
		}
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
