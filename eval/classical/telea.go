package classical

import (
	"container/heap"
	"context"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// teleaRadius is how far known pixels speak for unknown ones.
const teleaRadius = 5

// telea fills a hole from its edge inwards (Telea, J. Graphics Tools 9, 2004):
// a pixel is the weighted mean of its known neighbours, where nearer ones,
// those along the normal of the front and those of the same arrival time weigh
// more. Their gradients are left out: over a hole as wide as the inpainting
// tasks' what they foresee runs away.
func telea(ctx context.Context, _ degrade.Operator, x1 *bridge.Image, mask []uint8) (*bridge.Image, error) {
	if mask == nil {
		return nil, ErrNotFor
	}
	m := newMarch(mask, x1.H, x1.W)
	y := x1.Clone()
	for m.front.Len() > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := heap.Pop(&m.front).(arrival)
		if m.known[p.i] {
			continue
		}
		if mask[p.i] != 0 {
			m.guess(y, p.i)
		}
		m.known[p.i] = true
		m.each(p.i, func(q int) {
			if !m.known[q] {
				if t := m.solve(q); t < m.time[q] {
					m.time[q] = t
					heap.Push(&m.front, arrival{q, t})
				}
			}
		})
	}
	return y, nil
}

// march is the front of the fast marching method.
type march struct {
	h, w  int
	known []bool
	time  []float64 // when the front arrives: the distance from the hole's edge
	front queue
}

func newMarch(mask []uint8, h, w int) *march {
	m := &march{h: h, w: w, known: make([]bool, h*w), time: make([]float64, h*w)}
	for i := range mask {
		m.known[i] = mask[i] == 0
		if mask[i] != 0 {
			m.time[i] = math.Inf(1)
		}
	}
	for i := range mask {
		m.each(i, func(q int) {
			if m.known[i] && !m.known[q] && m.time[q] > 1 {
				m.time[q] = 1
				heap.Push(&m.front, arrival{q, 1})
			}
		})
	}
	return m
}

// each calls f with the four neighbours.
func (m *march) each(i int, f func(int)) {
	r, s := i/m.w, i%m.w
	if r > 0 {
		f(i - m.w)
	}
	if r < m.h-1 {
		f(i + m.w)
	}
	if s > 0 {
		f(i - 1)
	}
	if s < m.w-1 {
		f(i + 1)
	}
}

// solve is the arrival time where |∇T| = 1, from the earlier neighbour of each
// direction.
func (m *march) solve(i int) float64 {
	at := func(r, s int) float64 {
		if r < 0 || s < 0 || r >= m.h || s >= m.w || !m.known[r*m.w+s] {
			return math.Inf(1)
		}
		return m.time[r*m.w+s]
	}
	r, s := i/m.w, i%m.w
	a, b := min(at(r-1, s), at(r+1, s)), min(at(r, s-1), at(r, s+1))
	if math.Abs(a-b) >= 1 || math.IsInf(a+b, 1) {
		return min(a, b) + 1
	}
	return (a + b + math.Sqrt(2-(a-b)*(a-b))) / 2
}

// slope of the arrival time by known neighbours on both sides, or on one.
func (m *march) slope(i, step int, first, last bool) float64 {
	before, after := !first && m.known[i-step], !last && m.known[i+step]
	switch {
	case before && after:
		return (m.time[i+step] - m.time[i-step]) / 2
	case before:
		return m.time[i] - m.time[i-step]
	case after:
		return m.time[i+step] - m.time[i]
	}
	return 0
}

// guess fills pixel i of all channels.
func (m *march) guess(y *bridge.Image, i int) {
	r, s := i/m.w, i%m.w
	ny, nx := m.slope(i, m.w, r == 0, r == m.h-1), m.slope(i, 1, s == 0, s == m.w-1)
	sums, total := make([]float64, y.C), 0.0
	for u := max(0, r-teleaRadius); u <= min(m.h-1, r+teleaRadius); u++ {
		for v := max(0, s-teleaRadius); v <= min(m.w-1, s+teleaRadius); v++ {
			k, dy, dx := u*m.w+v, float64(r-u), float64(s-v)
			d2 := dy*dy + dx*dx
			if !m.known[k] || d2 > teleaRadius*teleaRadius {
				continue
			}
			direction := math.Abs(dy*ny+dx*nx) / math.Sqrt(d2)
			weight := max(1e-6, direction) / d2 / (1 + math.Abs(m.time[k]-m.time[i]))
			total += weight
			for c := range sums {
				sums[c] += weight * float64(y.Plane(c)[k])
			}
		}
	}
	for c, sum := range sums {
		y.Plane(c)[i] = float32(sum / total)
	}
}

// arrival is a pixel and when the front reaches it.
type arrival struct {
	i int
	t float64
}

// queue is a heap of arrivals.
type queue []arrival

func (q queue) Len() int           { return len(q) }
func (q queue) Less(a, b int) bool { return q[a].t < q[b].t }
func (q queue) Swap(a, b int)      { q[a], q[b] = q[b], q[a] }
func (q *queue) Push(x any)        { *q = append(*q, x.(arrival)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
