package bridge

// grid is Laplace's equation in a hole, on a level of a pyramid: of each pixel of
// the hole, the sum of its neighbours' differences from it is force. Beyond the
// picture's borders there are no neighbours.
type grid struct {
	h, w   int
	mask   []uint8
	spans  []span
	coarse *grid     // of the pixels all of whose parts lie in the hole
	x      []float32 // on coarse levels: what to add to the finer one
	force  []float32 // nil on the finest: 0
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
	g.coarse.x, g.coarse.force = make([]float32, nh*nw), make([]float32, nh*nw)
	return g
}

// fill solves the level, from the solution of the coarser one: what is known of
// it is the mean of what is known here.
func (g *grid) fill(x []float32) {
	if g.coarse == nil {
		fillWithMean(x, g.mask)
	} else {
		c := g.coarse
		small, known := make([]float32, c.h*c.w), make([]float32, c.h*c.w)
		for i, m := range g.mask {
			if m == 0 {
				k := i/g.w/2*c.w + i%g.w/2
				small[k] += x[i]
				known[k]++
			}
		}
		for k, n := range known {
			if n > 0 {
				small[k] /= n
			}
		}
		c.fill(small)
		for i, m := range g.mask {
			if m != 0 {
				x[i] = small[i/g.w/2*c.w+i%g.w/2]
			}
		}
	}
	g.solve(x)
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
func (g *grid) solve(x []float32) {
	const cycles, enough = 30, 1e-4
	for range cycles {
		if g.cycle(x) < enough {
			return
		}
	}
}

// cycle is a V-cycle: what the level cannot smooth away soon is left to the
// coarser ones. It tells how far the last sweep moved a pixel.
func (g *grid) cycle(x []float32) (moved float32) {
	sweeps := 2
	if g.coarse == nil {
		sweeps = 20
	}
	for range sweeps {
		moved = g.sweep(x)
	}
	if g.coarse == nil || len(g.coarse.spans) == 0 {
		return moved
	}
	g.restrict(x)
	g.coarse.cycle(g.coarse.x)
	g.correct(x)
	for range sweeps {
		moved = g.sweep(x)
	}
	return moved
}

// around is the sum of a pixel's neighbours, and how many there are.
func (g *grid) around(x []float32, r, s int) (sum, n float32) {
	i := r*g.w + s
	if r > 0 {
		sum, n = sum+x[i-g.w], n+1
	}
	if r < g.h-1 {
		sum, n = sum+x[i+g.w], n+1
	}
	if s > 0 {
		sum, n = sum+x[i-1], n+1
	}
	if s < g.w-1 {
		sum, n = sum+x[i+1], n+1
	}
	return sum, n
}

// sweep makes each pixel fit its neighbours: those of one colour of a chessboard,
// then the others (Gauss and Seidel). It tells the farthest move.
func (g *grid) sweep(x []float32) (moved float32) {
	for colour := range 2 {
		for _, p := range g.spans {
			from := p.from + (p.row+p.from+colour)&1
			if p.row > 0 && p.row < g.h-1 && p.from > 0 && p.to < g.w {
				moved = max(moved, g.fit(x, p.row, from, p.to)) // nearly all
				continue
			}
			for s := from; s < p.to; s += 2 {
				i := p.row*g.w + s
				sum, n := g.around(x, p.row, s)
				if n == 0 {
					continue // a picture of one pixel
				}
				if g.force != nil {
					sum -= g.force[i]
				}
				v := sum / n
				moved = max(moved, v-x[i], x[i]-v)
				x[i] = v
			}
		}
	}
	return moved
}

// fit is a sweep's part of a run of pixels that have all four neighbours.
func (g *grid) fit(x []float32, r, from, to int) (moved float32) {
	at, w := r*g.w, g.w
	row, above, below := x[at:at+w], x[at-w:at], x[at+w:at+2*w]
	if g.force == nil {
		for s := from; s < to; s += 2 {
			v := (above[s] + below[s] + row[s-1] + row[s+1]) * 0.25
			if d := v - row[s]; d > moved || d < -moved {
				moved = max(d, -d)
			}
			row[s] = v
		}
		return moved
	}
	force := g.force[at : at+w]
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
func (g *grid) restrict(x []float32) {
	c := g.coarse
	clear(c.x)
	clear(c.force)
	for _, p := range g.spans {
		for s := p.from; s < p.to; s++ {
			k := p.row/2*c.w + s/2
			if c.mask[k] == 0 {
				continue
			}
			i := p.row*g.w + s
			sum, n := g.around(x, p.row, s)
			c.force[k] += n*x[i] - sum
			if g.force != nil {
				c.force[k] += g.force[i]
			}
		}
	}
}

// correct adds what the coarse level found, between whose pixels it is linear.
func (g *grid) correct(x []float32) {
	c := g.coarse
	for _, p := range g.spans {
		near, far := g.rows(p.row)
		for s := p.from; s < p.to; s++ {
			k := s / 2
			m := min(c.w-1, max(0, k-1+s%2*2))
			x[p.row*g.w+s] += (9*near[k] + 3*near[m] + 3*far[k] + far[m]) / 16
		}
	}
}

// rows are the coarse rows that a fine one lies in and next to.
func (g *grid) rows(r int) (near, far []float32) {
	c := g.coarse
	k := r / 2
	m := min(c.h-1, max(0, k-1+r%2*2))
	return c.x[k*c.w:][:c.w], c.x[m*c.w:][:c.w]
}
