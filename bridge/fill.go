package bridge

import "sync"

// Fills of a hole, of which a bridge starts from one (Config.Fill).
const (
	FillNoise    = ""         // N(0,1), as the reference does
	FillHarmonic = "harmonic" // the surface without curvature: see FillSmooth
)

// FillSmooth replaces the hole of x1 by the surface that has no curvature
// (Laplace's equation): each of its pixels is the mean of its neighbours.
// x1 ← (1−m)·x1 + m·fill. The mask has H·W values, 255 in the hole; pixels with
// any other than 0 count as unknown. It is solved by multigrid cycles that start
// from the solution of half the size, until they move no pixel by 1e-4.
func FillSmooth(x1 *Image, mask []uint8) {
	g := newGrid(mask, x1.H, x1.W)
	var all sync.WaitGroup
	for c := range x1.C {
		all.Go(func() {
			x := x1.Plane(c)
			var blended []float32
			for i, m := range mask {
				if m != 0 && m != 255 {
					blended = append(blended, x[i])
				}
			}
			newSurface(g, x, nil).fill()
			for i, m := range mask {
				if m != 0 && m != 255 {
					a := float32(m) / 255
					x[i] = (1-a)*blended[0] + a*x[i]
					blended = blended[1:]
				}
			}
		})
	}
	all.Wait()
}
