package runtime

import "github.com/i2sb-go/i2sb/runtime/picture"

// pixels are samples of a picture, in one of two ways.
type pixels struct {
	levels []float32
	codes  []uint16 // half the size, where they give all levels back
}

func encode(levels []float32) pixels {
	codes := make([]uint16, len(levels))
	for i, v := range levels {
		codes[i] = picture.Code(v)
		if picture.Level(codes[i]) != v {
			return pixels{levels: levels}
		}
	}
	return pixels{codes: codes}
}

func (p pixels) at(i int) float32 {
	if p.codes != nil {
		return picture.Level(p.codes[i])
	}
	return p.levels[i]
}

// pad writes len(dst) pixels of row y of a channel, from column x on, of a
// picture of w×h that goes on by reflection, without repeating the edge.
func (p pixels) pad(dst []float32, w, h, channel, y, x int) {
	row := (channel*h + reflect(y, h)) * w
	n := max(0, min(len(dst), w-x))
	switch {
	case n == 0:
	case p.codes == nil:
		copy(dst, p.levels[row+x:][:n])
	default:
		for i, c := range p.codes[row+x:][:n] {
			dst[i] = picture.Level(c)
		}
	}
	for i := n; i < len(dst); i++ {
		dst[i] = p.at(row + reflect(x+i, w))
	}
}
