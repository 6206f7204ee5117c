package bridge

import "fmt"

// Image is a planar float32 picture: channel-major (CHW), row-major inside a
// channel, values nominally in [-1, 1]. Pix has exactly C·H·W elements.
type Image struct {
	C, H, W int
	Pix     []float32
}

// NewImage returns a zero picture of c channels, h rows and w columns.
func NewImage(c, h, w int) *Image {
	return &Image{C: c, H: h, W: w, Pix: make([]float32, c*h*w)}
}

// Plane returns channel c, H·W elements, sharing memory with the picture.
func (m *Image) Plane(c int) []float32 {
	n := m.H * m.W
	return m.Pix[c*n : (c+1)*n : (c+1)*n]
}

// Clone returns a copy that shares nothing with m.
func (m *Image) Clone() *Image {
	return &Image{C: m.C, H: m.H, W: m.W, Pix: append([]float32(nil), m.Pix...)}
}

// SameSize reports an error that names both sizes if they differ.
func (m *Image) SameSize(o *Image) error {
	if m.C != o.C || m.H != o.H || m.W != o.W {
		return fmt.Errorf("bridge: pictures differ in size: %d×%d×%d and %d×%d×%d", m.C, m.H, m.W, o.C, o.H, o.W)
	}
	return nil
}
