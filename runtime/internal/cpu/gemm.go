package cpu

// A product is computed on panels of four: a matrix of m rows and k columns is
// packed as ⌈m/4⌉ panels of k×4, so that a 4×4 block of the result needs two
// contiguous runs. Rows beyond m are zero.

// panels is how many groups of four n has.
func panels(n int) int { return (n + 3) / 4 }

// dot4 is a 4×4 block of aᵀb: out[i][j] = Σ_k a[4k+i]·b[4k+j]. Two columns at
// a time, which is what fits the registers of the Go compiler.
func dot4(a, b []float32, out *[4][4]float32) {
	for j := 0; j < 4; j += 2 {
		var c00, c10, c20, c30, c01, c11, c21, c31 float32
		for k := 0; k+4 <= len(a) && k+4 <= len(b); k += 4 {
			x := (*[4]float32)(a[k:])
			y := (*[4]float32)(b[k:])
			y0, y1 := y[j], y[j+1]
			c00 += x[0] * y0
			c10 += x[1] * y0
			c20 += x[2] * y0
			c30 += x[3] * y0
			c01 += x[0] * y1
			c11 += x[1] * y1
			c21 += x[2] * y1
			c31 += x[3] * y1
		}
		out[0][j], out[1][j], out[2][j], out[3][j] = c00, c10, c20, c30
		out[0][j+1], out[1][j+1], out[2][j+1], out[3][j+1] = c01, c11, c21, c31
	}
}
