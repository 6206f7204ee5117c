package watch

import (
	"io"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// gap is the white between the pictures of a grid.
const gap = 4

// WriteGrid writes rows of pictures as one PNG.
func WriteGrid(path string, rows [][]*bridge.Image) error {
	h, w := gap, gap
	for _, row := range rows {
		high, wide := 0, gap
		for _, x := range row {
			high, wide = max(high, x.H), wide+x.W+gap
		}
		h, w = h+high+gap, max(w, wide)
	}
	c := rows[0][0].C
	sheet := bridge.NewImage(c, h, w)
	for i := range sheet.Pix {
		sheet.Pix[i] = 1
	}
	y := gap
	for _, row := range rows {
		x, high := gap, 0
		for _, m := range row {
			paste(sheet, m, x, y)
			x, high = x+m.W+gap, max(high, m.H)
		}
		y += high + gap
	}
	return picture.WriteFile(path, true, func(out io.Writer) error {
		return picture.Encode(out, &picture.Picture{Image: sheet, Depth: 8, Grey: c == 1}, "png", 0)
	})
}

func paste(sheet, m *bridge.Image, x, y int) {
	for c := range m.C {
		for i := range m.H {
			copy(sheet.Plane(c)[(y+i)*sheet.W+x:], m.Plane(c)[i*m.W:(i+1)*m.W])
		}
	}
}
