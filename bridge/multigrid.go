package bridge

// grid is a level of a pyramid of holes: a coarse pixel lies in the hole if all
// of its four parts do. It is made once for all planes of a picture.
type grid struct {
	h, w   int
	mask   []uint8
	spans  []span
	coarse *grid // nil where there is no hole, or no more than four pixels
}

// span is a run of a hole's pixels in a row.
type span struct{ row, from, to int }

func newGrid(mask []uint8, h, w int) *grid {
	g := &grid{h: h, w: w, mask: mask}
	for r := range h {
		row := mask[r*w:][:w]
		for s := 0; s < w; s++ {
			if row[s] == 0 {
				continue
			}
			from := s
			for s < w && row[s] != 0 {
				s++
			}
			g.spans = append(g.spans, span{r, from, s})
		}
	}
	if len(g.spans) == 0 || max(h, w) <= 2 {
		return g
	}
	nh, nw := (h+1)/2, (w+1)/2
	hole := make([]uint8, nh*nw)
	for i := range hole {
		hole[i] = 255
	}
	for i, m := range mask {
		if m == 0 {
			hole[i/w/2*nw+i%w/2] = 0
		}
	}
	g.coarse = newGrid(hole, nh, nw)
	return g
}

// surface is Laplace's equation for a plane on a grid: of each pixel of the hole,
// the sum of its neighbours' differences from it is force. Beyond the picture's
// borders there are no neighbours.
type surface struct {
	*grid
	x      []float32 // in cycles, on coarse levels: what to add to the finer one
	force  []float32 // nil on the finest: 0
	coarse *surface
}

func newSurface(g *grid, x, force []float32) *surface {
	s := &surface{grid: g, x: x, force: force}
	if c := g.coarse; c != nil {
		s.coarse = newSurface(c, make([]float32, c.h*c.w), make([]float32, c.h*c.w))
	}
	return s
}

// fill solves the level, from the solution of the coarser one: what is known of
// it is the mean of what is known here.
func (f *surface) fill() {
	if c := f.coarse; c == nil {
		fillWithMean(f.x, f.mask)
	} else {
		known := make([]float32, len(c.x))
		for i, m := range f.mask {
			if m == 0 {
				k := i/f.w/2*c.w + i%f.w/2
				c.x[k] += f.x[i]
				known[k]++
			}
		}
		for k, n := range known {
			if n > 0 {
				c.x[k] /= n
			}
		}
		c.fill()
		for i, m := range f.mask {
			if m != 0 {
				f.x[i] = c.x[i/f.w/2*c.w+i%f.w/2]
			}
		}
	}
	f.solve()
}

func fillWithMean(x []float32, mask []uint8) {
	sum, n := 0.0, 0
	for i, v := range x {
		if mask[i] == 0 {
			sum += float64(v)
			n++
		}
	}
	for i := range x {
		if mask[i] != 0 {
			x[i] = float32(sum / float64(max(1, n)))
		}
	}
}

// solve cycles until no pixel moves by more than it should.
func (f *surface) solve() {
	const cycles, enough = 30, 1e-4
	for range cycles {
		if f.cycle() < enough {
			return
		}
	}
}

// cycle is a V-cycle: what the level cannot smooth away soon is left to the
// coarser ones. It tells how far the last sweep moved a pixel.
func (f *surface) cycle() (moved float32) {
	sweeps := 2
	if f.coarse == nil {
		sweeps = 20
	}
	for range sweeps {
		moved = f.sweep()
	}
	if f.coarse == nil || len(f.coarse.spans) == 0 {
		return moved
	}
	f.restrict()
	f.coarse.cycle()
	f.correct()
	for range sweeps {
		moved = f.sweep()
	}
	return moved
}

// around is the sum of a pixel's neighbours, and how many there are.
func (f *surface) around(r, s int) (sum, n float32) {
	i := r*f.w + s
	if r > 0 {
		sum, n = sum+f.x[i-f.w], n+1
	}
	if r < f.h-1 {
		sum, n = sum+f.x[i+f.w], n+1
	}
	if s > 0 {
		sum, n = sum+f.x[i-1], n+1
	}
	if s < f.w-1 {
		sum, n = sum+f.x[i+1], n+1
	}
	return sum, n
}

// sweep makes each pixel fit its neighbours: those of one colour of a chessboard,
// then the others (Gauss and Seidel). It tells the farthest move.
func (f *surface) sweep() (moved float32) {
	for colour := range 2 {
		for _, p := range f.spans {
			from := p.from + (p.row+p.from+colour)&1
			if p.row > 0 && p.row < f.h-1 && p.from > 0 && p.to < f.w {
				moved = max(moved, f.fit(p.row, from, p.to)) // nearly all
				continue
			}
			for s := from; s < p.to; s += 2 {
				i := p.row*f.w + s
				sum, n := f.around(p.row, s)
				if n == 0 {
					continue // a picture of one pixel
				}
				if f.force != nil {
					sum -= f.force[i]
				}
				v := sum / n
				moved = max(moved, v-f.x[i], f.x[i]-v)
				f.x[i] = v
			}
		}
	}
	return moved
}

// fit is a sweep's part of a run of pixels that have all four neighbours.
func (f *surface) fit(r, from, to int) (moved float32) {
	at, w := r*f.w, f.w
	row, above, below := f.x[at:at+w], f.x[at-w:at], f.x[at+w:at+2*w]
	if f.force == nil {
		for s := from; s < to; s += 2 {
			v := (above[s] + below[s] + row[s-1] + row[s+1]) * 0.25
			if d := v - row[s]; d > moved || d < -moved {
				moved = max(d, -d)
			}
			row[s] = v
		}
		return moved
	}
	force := f.force[at : at+w]
	for s := from; s < to; s += 2 {
		v := (above[s] + below[s] + row[s-1] + row[s+1] - force[s]) * 0.25
		if d := v - row[s]; d > moved || d < -moved {
			moved = max(d, -d)
		}
		row[s] = v
	}
	return moved
}

// restrict sums what is left of the forces over the four parts of each coarse
// pixel: twice the distance between pixels is four times the force.
func (f *surface) restrict() {
	c := f.coarse
	clear(c.x)
	clear(c.force)
	for _, p := range f.spans {
		for s := p.from; s < p.to; s++ {
			k := p.row/2*c.w + s/2
			if c.mask[k] == 0 {
				continue
			}
			i := p.row*f.w + s
			sum, n := f.around(p.row, s)
			c.force[k] += n*f.x[i] - sum
			if f.force != nil {
				c.force[k] += f.force[i]
			}
		}
	}
}

// correct adds what the coarse level found, between whose pixels it is linear.
func (f *surface) correct() {
	c := f.coarse
	for _, p := range f.spans {
		near, far := c.row(p.row/2), c.row(beside(p.row, c.h))
		for s := p.from; s < p.to; s++ {
			k, m := s/2, beside(s, c.w)
			f.x[p.row*f.w+s] += (9*near[k] + 3*near[m] + 3*far[k] + far[m]) / 16
		}
	}
}

func (f *surface) row(r int) []float32 { return f.x[r*f.w:][:f.w] }

// beside is the coarse pixel that a fine one lies next to, of n.
func beside(i, n int) int { return min(n-1, max(0, i/2-1+i%2*2)) }
