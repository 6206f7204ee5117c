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
)

// Filter 3 of PNG takes the mean of the pixel to the left and the one above from
// every pixel. On photographs no single one does better.
const pngMean = 3

// deflaters are zlib writers of the fastest level, used again.
var deflaters = sync.Pool{New: func() any {
	z, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed) // the level is one
	return z
}}

// quickPNG writes a PNG with one filter and the fastest compression.
func (p *Picture) quickPNG(w io.Writer) error {
	x := p.Image
	alpha := !opaque(p.Alpha)
	samples, kind, depth := x.C, byte(0), 8
	if x.C == 3 {
		kind = 2
	}
	if alpha {
		samples, kind = samples+1, kind+4
	}
	if p.Depth == 16 {
		depth = 16
	}
	head := append(make([]byte, 0, pngHead), "\x89PNG\r\n\x1a\n"...)
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(x.W)), uint32(x.H))
	head = appendChunk(head, "IHDR", append(size, byte(depth), kind, 0, 0, 0))
	if _, err := w.Write(p.describe(head)); err != nil {
		return err
	}
	raw := p.filtered(samples*depth/8, alpha)
	z := deflaters.Get().(*zlib.Writer)
	b := deflate(z, raw)
	deflaters.Put(z)
	if b.Len() > len(raw)-len(raw)/16 { // it found nothing that repeats
		z, _ := zlib.NewWriterLevel(nil, zlib.HuffmanOnly) // the level is one
		if c := deflate(z, raw); c.Len() < b.Len() {
			b = c
		}
	}
	if to, ok := w.(*bytes.Buffer); ok { // which would grow step by step
		to.Grow(b.Len() + 64)
	}
	for part := range slices.Chunk(b.Bytes(), 1<<20) {
		if err := writeChunk(w, "IDAT", part); err != nil {
			return err
		}
	}
	return writeChunk(w, "IEND", nil)
}

// opaque tells whether alpha makes no difference.
func opaque(alpha []uint16) bool {
	return !slices.ContainsFunc(alpha, func(a uint16) bool { return a != 65535 })
}

func deflate(z *zlib.Writer, raw []byte) *bytes.Buffer {
	b := &bytes.Buffer{}
	b.Grow(len(raw) / 2)
	z.Reset(b)
	_, _ = z.Write(raw) // memory takes everything
	z.Close()
	return b
}

// filtered is all rows as they are compressed; pixel is the bytes of one.
func (p *Picture) filtered(pixel int, alpha bool) []byte {
	n := pixel * p.Image.W
	row, above := make([]byte, n), make([]byte, n)
	all := make([]byte, (1+n)*p.Image.H)
	for y := range p.Image.H {
		out := all[(1+n)*y:][:1+n]
		out[0] = pngMean
		p.samples(row, y, pixel, alpha)
		lessMean(out[1:], row, above, pixel)
		row, above = above, row
	}
	return all
}

// samples are a row's, as a PNG has them.
func (p *Picture) samples(row []byte, y, pixel int, alpha bool) {
	x := p.Image
	for c := range x.C {
		values := x.Plane(c)[y*x.W:][:x.W]
		if p.Depth == 16 {
			for i, v := range values {
				binary.BigEndian.PutUint16(row[i*pixel+2*c:], Code(v))
			}
			continue
		}
		for i, v := range values {
			row[i*pixel+c] = byteOf(v)
		}
	}
	if !alpha {
		return
	}
	for i, a := range p.Alpha[y*x.W:][:x.W] {
		if end := (i + 1) * pixel; p.Depth == 16 {
			binary.BigEndian.PutUint16(row[end-2:], a)
		} else {
			row[end-1] = byteOfAlpha(a)
		}
	}
}

// lessMean takes from every byte the mean of the byte to its left and the one
// above, rounded down, eight at a time.
func lessMean(out, row, above []byte, pixel int) {
	for i := range pixel {
		out[i] = row[i] - above[i]/2
	}
	const low = 0x7f7f7f7f7f7f7f7f // all but the highest bit of every byte
	i := pixel
	for ; i+8 <= len(row); i += 8 {
		v, a, b := binary.LittleEndian.Uint64(row[i:]), binary.LittleEndian.Uint64(row[i-pixel:]), binary.LittleEndian.Uint64(above[i:])
		mean := a&b + (a^b)>>1&low
		binary.LittleEndian.PutUint64(out[i:], ((v|^uint64(low))-mean&low)^(v^^mean)&^uint64(low))
	}
	for ; i < len(row); i++ {
		out[i] = row[i] - byte((int(row[i-pixel])+int(above[i]))/2)
	}
}

func writeChunk(w io.Writer, kind string, body []byte) error {
	head := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind...)
	sum := crc32.Update(crc32.ChecksumIEEE(head[4:]), crc32.IEEETable, body)
	for _, part := range [][]byte{head, body, binary.BigEndian.AppendUint32(nil, sum)} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
