package cpu

import "github.com/i2sb-go/i2sb/runtime/internal/plan"

// Winograd's F(4×4, 3×3) (Lavin & Gray 2016): Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A for
// 6×6 inputs d, 3×3 weights g and 4×4 outputs.

// weightRow is one row of G applied to a triple.
func weightRow(a, b, c float32) [6]float32 {
	s, t := a+c, a/24+c/6
	return [6]float32{a / 4, -(s + b) / 6, (b - s) / 6, t + b/12, t - b/12, c}
}

// transformWeights is G g Gᵀ.
func transformWeights(g *[9]float32, out *[36]float32) {
	var rows [3][6]float32
	for i := range rows {
		rows[i] = weightRow(g[3*i], g[3*i+1], g[3*i+2])
	}
	for j := range 6 {
		col := weightRow(rows[0][j], rows[1][j], rows[2][j])
		for i, v := range col {
			out[6*i+j] = v
		}
	}
}

// inputRow is Bᵀ applied to six values.
func inputRow(d0, d1, d2, d3, d4, d5 float32) (a, b, c, d, e, f float32) {
	p, q := d4-4*d2, d3-4*d1
	u, v := d4-d2, 2*(d3-d1)
	return 4*d0 - 5*d2 + d4, p + q, p - q, u + v, u - v, 4*d1 - 5*d3 + d5
}

// outputRow is Aᵀ applied to six values.
func outputRow(m0, m1, m2, m3, m4, m5 float32) (a, b, c, d float32) {
	s, t, u, v := m1+m2, m1-m2, m3+m4, m3-m4
	return m0 + s + u, t + 2*v, s + 4*u, t + 8*v + m5
}

// packTiles transforms one input channel for the tiles first … first+count.
func packTiles(in []float32, s plan.Shape, m product, c, first, count int, packed []float32) {
	stride := m.block() * m.depth // of a frequency
	for j := range 4 * panels(count) {
		var d, t [36]float32
		if j < count {
			i0, j0 := (first+j)/m.tilesW*4-1, (first+j)%m.tilesW*4-1
			for y := range 6 {
				row := i0 + y
				if row < 0 || row >= s.H {
					continue
				}
				if j0 >= 0 && j0+6 <= s.W {
					copy(d[6*y:6*y+6], in[row*s.W+j0:])
					continue
				}
				for x := range 6 {
					if col := j0 + x; col >= 0 && col < s.W {
						d[6*y+x] = in[row*s.W+col]
					}
				}
			}
			for y := range 6 {
				r := d[6*y : 6*y+6 : 6*y+6]
				t[y], t[6+y], t[12+y], t[18+y], t[24+y], t[30+y] = inputRow(r[0], r[1], r[2], r[3], r[4], r[5])
			}
			for x := range 6 { // t is transposed: its row x is column x
				r := t[6*x : 6*x+6 : 6*x+6]
				d[x], d[6+x], d[12+x], d[18+x], d[24+x], d[30+x] = inputRow(r[0], r[1], r[2], r[3], r[4], r[5])
			}
		}
		to := packed[j/4*4*m.depth+4*c+j%4:]
		for f, v := range d {
			to[f*stride] = v
		}
	}
}

// storeTiles transforms the products of output k back and adds the bias.
func storeTiles(result []float32, m product, k, first, count, block int, bias float32, y plan.Shape, out []float32) {
	stride := 4 * panels(m.out) * block
	for j := range count {
		var d, t [36]float32
		for f := range d {
			d[f] = result[f*stride+k*block+j]
		}
		for i := range 6 {
			r := d[6*i : 6*i+6 : 6*i+6]
			t[i], t[6+i], t[12+i], t[18+i] = outputRow(r[0], r[1], r[2], r[3], r[4], r[5])
		}
		i0, j0 := (first+j)/m.tilesW*4, (first+j)%m.tilesW*4
		for x := range min(4, y.W-j0) {
			r := t[6*x : 6*x+6 : 6*x+6]
			var v [4]float32
			v[0], v[1], v[2], v[3] = outputRow(r[0], r[1], r[2], r[3], r[4], r[5])
			for i := range min(4, y.H-i0) {
				out[(i0+i)*y.W+j0+x] = v[i] + bias
			}
		}
	}
}
