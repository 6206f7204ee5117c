//go:build !js

package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zlib"

	"github.com/i2sb-go/i2sb/bridge"
)

// inflaters are zlib readers, used again.
var inflaters sync.Pool

// readPNG reads what most PNGs are, 8 bits of grey, RGB or RGBA, row after row,
// without an image between the file and the values. Of all others, and of those
// that are not whole, it knows nothing: image/png says what is wrong with them.
// checkSize has held the size against the limits.
func readPNG(b []byte) (*Picture, bool) {
	if len(b) < pngHead || string(b[:8]) != "\x89PNG\r\n\x1a\n" || b[pngDepth] != 8 || b[pngDepth+2]|b[pngDepth+3]|b[pngDepth+4] != 0 {
		return nil, false
	}
	n := map[byte]int{0: 1, 2: 3, 6: 4}[b[pngKind]] // bytes of a pixel
	packed, ok := pngData(b)
	if n == 0 || !ok {
		return nil, false
	}
	z, _ := inflaters.Get().(io.ReadCloser)
	in := bytes.NewReader(packed)
	var err error
	if z == nil {
		z, err = zlib.NewReader(in)
	} else {
		err = z.(zlib.Resetter).Reset(in, nil)
	}
	if err != nil {
		return nil, false
	}
	defer inflaters.Put(z)
	w, h := int(binary.BigEndian.Uint32(b[16:])), int(binary.BigEndian.Uint32(b[20:]))
	p := &Picture{Image: bridge.NewImage(min(n, 3), h, w), Depth: 8, Grey: n == 1}
	row, above := make([]byte, 1+n*w), make([]byte, 1+n*w)
	for y := range h {
		if _, err := io.ReadFull(z, row); err != nil || !unfilter(row[0], row[1:], above[1:], n) {
			return nil, false
		}
		p.take(row[1:], y, n)
		row, above = above, row
	}
	if k, err := z.Read(row[:1]); k != 0 || err != io.EOF || in.Len() != 0 { // the end, where its sum is checked
		return nil, false
	}
	return p, true
}

// pngData is the pixels of a PNG without chunks that change what they mean, if
// it is whole.
func pngData(b []byte) (packed []byte, ok bool) {
	var parts [][]byte
	done := false // with the pixels
	for at := 8; ; {
		if len(b)-at < 12 {
			return nil, false
		}
		size, kind := int64(binary.BigEndian.Uint32(b[at:])), string(b[at+4:at+8])
		if size > int64(len(b)-at-12) {
			return nil, false
		}
		end := at + 8 + int(size)
		if crc32.ChecksumIEEE(b[at+4:end]) != binary.BigEndian.Uint32(b[end:]) {
			return nil, false
		}
		switch kind {
		case "IHDR":
			if at != 8 || size != 13 {
				return nil, false
			}
		case "PLTE", "tRNS":
			return nil, false
		case "IDAT":
			if done {
				return nil, false
			}
			parts = append(parts, b[at+8:end])
		case "IEND":
			if len(parts) == 1 {
				return parts[0], size == 0
			}
			return slices.Concat(parts...), size == 0 && len(parts) > 0
		}
		done = len(parts) > 0 && kind != "IDAT"
		at = end + 4
	}
}

// unfilter makes of what a filter left of a row the row; n is the bytes of a
// pixel.
func unfilter(filter byte, row, above []byte, n int) bool {
	switch filter {
	case 0:
	case 1:
		for i := n; i < len(row); i++ {
			row[i] += row[i-n]
		}
	case 2:
		for i, v := range above {
			row[i] += v
		}
	case pngMean:
		for i := range n {
			row[i] += above[i] / 2
		}
		for i := n; i < len(row); i++ {
			row[i] += byte((int(row[i-n]) + int(above[i])) / 2)
		}
	case 4:
		for c := range n {
			left, corner := 0, 0
			for i := c; i < len(row); i += n {
				up := int(above[i])
				left, corner = int(row[i]+paeth(left, up, corner)), up
				row[i] = byte(left)
			}
		}
	default:
		return false
	}
	return true
}

// paeth is the one of three neighbours that is nearest to left + up − corner.
func paeth(left, up, corner int) byte {
	a, b := up-corner, left-corner
	c := a + b
	a, b, c = max(a, -a), max(b, -b), max(c, -c)
	switch {
	case a <= b && a <= c:
		return byte(left)
	case b <= c:
		return byte(up)
	}
	return byte(corner)
}

// take makes values of a row.
func (p *Picture) take(row []byte, y, n int) {
	w := p.Image.W
	for c := range p.Image.C {
		values := p.Image.Plane(c)[y*w:][:w]
		for i := range values {
			values[i] = levels[row[i*n+c]]
		}
	}
	if n < 4 {
		return
	}
	for i := range w {
		if a := row[4*i+3]; a != 255 || p.Alpha != nil {
			if p.Alpha == nil { // opaque so far
				p.Alpha = slices.Repeat([]uint16{65535}, w*p.Image.H)
			}
			p.Alpha[y*w+i] = uint16(a) * 257
		}
	}
}
