package degrade

import "github.com/i2sb-go/i2sb/bridge"

// reflect folds i into [0, n) without repeating the edge, as often as needed.
func reflect(i, n int) int {
	if n == 1 {
		return 0
	}
	m := 2 * (n - 1)
	i = ((i % m) + m) % m
	return min(i, m-i)
}

// symmetric folds i into [0, n), repeating the edge.
func symmetric(i, n int) int {
	m := 2 * n
	i = ((i % m) + m) % m
	return min(i, m-1-i)
}

// up is the next multiple of n.
func up(i, n int) int { return (i + n - 1) / n * n }

// padTo enlarges to multiples of n by reflection. The result is x itself if
// nothing is to be done.
func padTo(x *bridge.Image, n int) *bridge.Image {
	h, w := up(x.H, n), up(x.W, n)
	if h == x.H && w == x.W {
		return x
	}
	y := bridge.NewImage(x.C, h, w)
	for c := range x.C {
		for i := range h {
			row := x.Plane(c)[reflect(i, x.H)*x.W:][:x.W]
			out := y.Plane(c)[i*w:][:w]
			copy(out, row)
			for j := x.W; j < w; j++ {
				out[j] = row[reflect(j, x.W)]
			}
		}
	}
	return y
}

// fold is the adjoint of padTo: it adds every pixel to that which it is a
// reflection of.
func fold(z *bridge.Image, h, w int) *bridge.Image {
	y := bridge.NewImage(z.C, h, w)
	for c := range z.C {
		for i := range z.H {
			row := y.Plane(c)[reflect(i, h)*w:][:w]
			for j, v := range z.Plane(c)[i*z.W:][:z.W] {
				row[reflect(j, w)] += v
			}
		}
	}
	return y
}

// crop keeps the first h rows and w columns; it is x itself if these are all.
func crop(x *bridge.Image, h, w int) *bridge.Image {
	if x.H == h && x.W == w {
		return x
	}
	y := bridge.NewImage(x.C, h, w)
	for c := range x.C {
		for i := range h {
			copy(y.Plane(c)[i*w:(i+1)*w], x.Plane(c)[i*x.W:])
		}
	}
	return y
}

// uncrop is the adjoint of crop: it adds zeros up to h rows and w columns.
func uncrop(x *bridge.Image, h, w int) *bridge.Image {
	y := bridge.NewImage(x.C, h, w)
	for c := range x.C {
		for i := range x.H {
			copy(y.Plane(c)[i*w:], x.Plane(c)[i*x.W:(i+1)*x.W])
		}
	}
	return y
}
