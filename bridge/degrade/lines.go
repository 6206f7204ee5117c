package degrade

import "github.com/i2sb-go/i2sb/bridge"

// matrix is a sparse linear map of a line: row i of the result is the sum of
// its taps.
type matrix [][]tap

type tap struct {
	at     int
	weight float64
}

func (m matrix) add(row, at int, weight float64) { m[row] = append(m[row], tap{at, weight}) }

// sums are the sums of the rows: what becomes of a line of ones.
func (m matrix) sums() []float64 {
	s := make([]float64, len(m))
	for i, taps := range m {
		for _, t := range taps {
			s[i] += t.weight
		}
	}
	return s
}

// transpose swaps rows and columns; n is the length of the input.
func (m matrix) transpose(n int) matrix {
	t := make(matrix, n)
	for i, row := range m {
		for _, p := range row {
			t.add(p.at, i, p.weight)
		}
	}
	return t
}

// both applies rows to the columns of x and cols to its rows.
func both(x *bridge.Image, rows, cols matrix) *bridge.Image {
	y := bridge.NewImage(x.C, len(rows), len(cols))
	half := make([]float64, x.H*len(cols))
	line := make([]float64, len(cols))
	for c := range x.C {
		src, dst := x.Plane(c), y.Plane(c)
		for i := range x.H {
			for j, taps := range cols {
				sum := 0.0
				for _, t := range taps {
					sum += t.weight * float64(src[i*x.W+t.at])
				}
				half[i*len(cols)+j] = sum
			}
		}
		for i, taps := range rows {
			clear(line)
			for _, t := range taps {
				for j, v := range half[t.at*len(cols):][:len(cols)] {
					line[j] += t.weight * v
				}
			}
			for j, v := range line {
				dst[i*len(cols)+j] = float32(v)
			}
		}
	}
	return y
}
