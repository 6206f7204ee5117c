package bridge

// State is a picture on its walk: planar C×Rows×Cols slices of one size.
type State struct {
	C, Rows, Cols int
	X             []float32    // x_n
	X0            []float32    // x̂0, filled in before Update; see Ring
	X1            []float32    // nil if the walk does not read it and no mask is set; see Lines
	H             [2][]float32 // saved combinations, as many as the walk's History
	Mask          []uint8      // Rows·Cols, 255 is a hole; nil without inpainting

	// Ring, if not 0, is how many rows of each channel X0 holds: row y lies at
	// y modulo Ring, and is zero again once it has been read.
	Ring int
	// Lines, if not 0, is how many rows of each channel X1 holds: row y lies at
	// y modulo Lines, so that no more can be updated at a time.
	Lines int
}

// Update makes the next state in place: step number k of a walk. It is the
// specification of every executor's update kernel.
func (s *State) Update(st Step, k int, n Noise) {
	for c := range s.C {
		s.UpdateRows(st, k, n, c, 0, s.Rows)
	}
}

// UpdateRows updates rows from up to but not including to of one channel; rows
// may be updated at the same time, for noise depends on coordinates alone.
func (s *State) UpdateRows(st Step, k int, n Noise, channel, from, to int) {
	eps := make([]float32, s.Cols)
	for y := from; y < to; y++ {
		at := (channel*s.Rows + y) * s.Cols
		x, x0 := s.X[at:at+s.Cols], s.X0Row(channel, y)
		var x1 []float32
		if s.X1 != nil {
			x1 = s.row(s.X1, s.Lines, channel, y)
		}
		var mask []uint8
		if s.Mask != nil {
			mask = s.Mask[y*s.Cols:][:s.Cols]
		}
		if mask != nil && st.MaskX0 {
			for i, h := range mask {
				m := float32(h) / 255
				x0[i] = x0[i]*m + x1[i]*(1-m)
			}
		}
		if st.Noise != 0 {
			n.Fill(eps, DrawStep, k, channel, y, 0)
		}
		var h [2][]float32
		for j := range h {
			if s.H[j] != nil {
				h[j] = s.H[j][at : at+s.Cols]
			}
		}
		step(st, x, x0, x1, h, eps)
		if s.Ring != 0 {
			clear(x0)
		}
		if mask != nil {
			paste(st, x, x1, mask, eps, func(dst []float32) { n.Fill(dst, DrawMask, k, channel, y, 0) })
		}
	}
}

// X0Row is where row y of a channel lies in X0.
func (s *State) X0Row(channel, y int) []float32 { return s.row(s.X0, s.Ring, channel, y) }

// row is row y of a channel of a picture of which ring rows are held, 0 for all.
func (s *State) row(of []float32, ring, channel, y int) []float32 {
	if ring == 0 {
		ring = s.Rows
	}
	return of[(channel*ring+y%ring)*s.Cols:][:s.Cols]
}

// step is the linear combination for one row.
func step(st Step, x, x0, x1 []float32, h [2][]float32, eps []float32) {
	cx, c0, c1, cn := float32(st.X), float32(st.X0), float32(st.X1), float32(st.Noise)
	h0, h1 := float32(st.H[0]), float32(st.H[1])
	sx, s0 := float32(st.SaveX), float32(st.SaveX0)
	for i, v := range x {
		next := c0*x0[i] + cx*v
		if c1 != 0 {
			next += c1 * x1[i]
		}
		if h0 != 0 {
			next += h0 * h[0][i]
		}
		if h1 != 0 {
			next += h1 * h[1][i]
		}
		if cn != 0 {
			next += cn * eps[i]
		}
		if st.Save && h[0] != nil {
			if h[1] != nil {
				h[1][i] = h[0][i]
			}
			h[0][i] = sx*v + s0*x0[i]
		}
		x[i] = next
	}
}

// paste puts x1, noised to the new index, back at the known pixels.
func paste(st Step, x, x1 []float32, mask []uint8, eps []float32, fill func([]float32)) {
	sd := float32(st.MaskNoise)
	if sd != 0 {
		fill(eps)
	}
	for i, h := range mask {
		if h == 255 {
			continue
		}
		known := x1[i]
		if sd != 0 {
			known += sd * eps[i]
		}
		m := float32(h) / 255
		x[i] = (1-m)*known + m*x[i]
	}
}
