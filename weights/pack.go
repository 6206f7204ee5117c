// Package weights reads and writes weight packs (.i2sb), and reads
// safetensors and PyTorch checkpoints. FORMAT.md describes the pack.
package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
)

// The version of the format. A pack of a newer minor version is read, one of a
// newer major version is refused.
const (
	Major = 1
	Minor = 0
)

const (
	magic      = "\x89I2SB\r\n\x1a"
	preamble   = 8 + 2 + 2 + 4 + 8 // magic, major, minor, CRC of the JSON, its length
	chunkBytes = 256 << 10         // raw bytes of a chunk
	maxHeader  = 64 << 20
	maxTensors = 1 << 16

	maxExpansion = 64 // raw bytes for a byte of the file, at most

	bytesOfAnObject = 24 // of the header, on average at least: an empty one takes memory as any other
)

// ErrNotPack says that a file is no pack at all.
var ErrNotPack = errors.New("not an .i2sb pack")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Pack is an opened pack. It may be used by several goroutines.
type Pack struct {
	index
	header Header
	r      io.ReaderAt
	start  int64 // of the chunks
	dec    *zstd.Decoder
}

// OpenPack reads and checks the header of a pack of size bytes. The chunks are
// checked when they are read. r must stay usable until the last read.
func OpenPack(r io.ReaderAt, size int64) (*Pack, error) {
	var b [preamble]byte
	if size < preamble {
		return nil, fmt.Errorf("pack: %w: %d bytes are too few", ErrNotPack, size)
	}
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if string(b[:8]) != magic {
		return nil, fmt.Errorf("pack: %w: it begins with %q; `i2sb-run pack` makes one of a checkpoint", ErrNotPack, b[:4])
	}
	le := binary.LittleEndian
	major, minor, sum, n := le.Uint16(b[8:]), le.Uint16(b[10:]), le.Uint32(b[12:]), le.Uint64(b[16:])
	if major != Major {
		return nil, fmt.Errorf("pack: format %d.%d; this program reads %d.x: use a newer one", major, minor, Major)
	}
	if n > maxHeader || int64(n) > size-preamble {
		return nil, fmt.Errorf("pack: a header of %d bytes does not fit a file of %d; is it cut off?", n, size)
	}
	raw := make([]byte, n)
	if _, err := r.ReadAt(raw, preamble); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if crc32.Checksum(raw, castagnoli) != sum {
		return nil, fmt.Errorf("pack: the header is damaged (checksum)")
	}
	if bytes.Count(raw, []byte("{")) > 8+len(raw)/bytesOfAnObject {
		return nil, fmt.Errorf("pack: the header is malformed: it has more objects than it can fill")
	}
	p := &Pack{r: r, start: preamble + int64(n)}
	if err := json.Unmarshal(raw, &p.header); err != nil {
		return nil, fmt.Errorf("pack: the header is malformed: %w", err)
	}
	if err := p.check(size - p.start); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	var err error
	p.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(2*chunkBytes))
	return p, err
}

// check holds every entry against the size of the data.
func (p *Pack) check(size int64) error {
	if len(p.header.Tensors) > maxTensors {
		return fmt.Errorf("%d tensors, more than %d", len(p.header.Tensors), maxTensors)
	}
	infos := make([]Info, len(p.header.Tensors))
	var total int64
	for i, e := range p.header.Tensors {
		d, err := ParseDType(e.DType)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		infos[i] = Info{e.Name, e.Shape, d}
		n, err := elements(e.Shape, math.MaxInt32)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		var raw int64
		for _, c := range e.Chunks {
			if err := c.check(size); err != nil {
				return fmt.Errorf("tensor %q: %w", e.Name, err)
			}
			if c.Raw%d.Size() != 0 {
				return fmt.Errorf("tensor %q: a chunk of %d bytes cuts an element", e.Name, c.Raw)
			}
			raw += int64(c.Raw)
		}
		if raw != n*int64(d.Size()) {
			return fmt.Errorf("tensor %q: its chunks hold %d bytes, %v %s needs %d", e.Name, raw, e.Shape, d, n*int64(d.Size()))
		}
		// Decoding takes memory in proportion to the file, whatever it claims.
		if total += raw; total > maxExpansion*size+chunkBytes {
			return fmt.Errorf("its tensors claim more than %d times the bytes of the file", maxExpansion)
		}
		if (d == I8) != (e.Scales != nil) || (d == I8 && len(e.Shape) == 0) {
			return fmt.Errorf("tensor %q: int8 and scales go together", e.Name)
		}
		if e.Scales != nil {
			if err := e.Scales.check(size); err != nil || e.Scales.Raw != 4*e.Shape[0] {
				return fmt.Errorf("tensor %q: its scales do not fit", e.Name)
			}
		}
	}
	var err error
	p.index, err = newIndex(infos)
	return err
}

func (c Chunk) check(size int64) error {
	if c.Offset < 0 || c.Size < 1 || c.Offset > size-int64(c.Size) {
		return fmt.Errorf("bytes %d to %d lie outside of the file; is it cut off?", c.Offset, c.Offset+int64(c.Size))
	}
	if c.Raw < 0 || c.Raw > chunkBytes {
		return fmt.Errorf("a chunk of %d bytes, more than %d", c.Raw, chunkBytes)
	}
	return nil
}

// Header is what the pack says about itself. Its slices must not be changed.
func (p *Pack) Header() Header { return p.header }

// Close implements Source; the reader is the caller's.
func (p *Pack) Close() error {
	p.dec.Close()
	return nil
}

// chunk reads, decompresses and checks one chunk.
func (p *Pack) chunk(name string, c Chunk) ([]byte, error) {
	z := make([]byte, c.Size)
	if _, err := p.r.ReadAt(z, p.start+c.Offset); err != nil {
		return nil, fmt.Errorf("pack: tensor %q: %w", name, err)
	}
	if crc32.Checksum(z, castagnoli) != c.CRC {
		return nil, fmt.Errorf("pack: tensor %q is damaged (checksum); fetch or make the pack again", name)
	}
	raw, err := p.dec.DecodeAll(z, make([]byte, 0, c.Raw))
	if err != nil || len(raw) != c.Raw {
		return nil, fmt.Errorf("pack: tensor %q is damaged (zstd); fetch or make the pack again", name)
	}
	return raw, nil
}

// Chunks calls f with the parts of a tensor, in order, in the encoding of its
// DType, little-endian; one chunk is in memory at a time. The part is valid
// during the call only.
func (p *Pack) Chunks(name string, f func(part []byte) error) error {
	i, ok := p.byName[name]
	if !ok {
		return fmt.Errorf("pack: there is no tensor %q", name)
	}
	e := p.header.Tensors[i]
	for _, c := range e.Chunks {
		raw, err := p.chunk(name, c)
		if err != nil {
			return err
		}
		if e.Planes {
			raw = join(raw, p.list[i].DType.Size())
		}
		if err := f(raw); err != nil {
			return err
		}
	}
	return nil
}

// Scales are the factors of an int8 tensor, one for each index of its first
// dimension; nil for other tensors.
func (p *Pack) Scales(name string) ([]float32, error) {
	i, ok := p.byName[name]
	if !ok {
		return nil, fmt.Errorf("pack: there is no tensor %q", name)
	}
	e := p.header.Tensors[i]
	if e.Scales == nil {
		return nil, nil
	}
	raw, err := p.chunk(name, *e.Scales)
	if err != nil {
		return nil, err
	}
	s := make([]float32, len(raw)/4)
	decode(F32, raw, s)
	return s, nil
}

// ReadF32 implements Source.
func (p *Pack) ReadF32(name string, dst []float32) error {
	i, err := p.find(name, len(dst))
	if err != nil {
		return err
	}
	scales, err := p.Scales(name)
	if err != nil {
		return err
	}
	d := p.list[i].DType
	at := 0
	err = p.Chunks(name, func(part []byte) error {
		n := len(part) / d.Size()
		decode(d, part, dst[at:at+n])
		at += n
		return nil
	})
	if err == nil && scales != nil && len(dst) > 0 {
		per := len(dst) / len(scales)
		for k := range dst {
			dst[k] *= scales[k/per]
		}
	}
	return err
}

// Verify decompresses and checks every chunk.
func (p *Pack) Verify() error {
	for _, e := range p.header.Tensors {
		if _, err := p.Scales(e.Name); err != nil {
			return err
		}
		if err := p.Chunks(e.Name, func([]byte) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// split turns elements of size bytes into planes; join turns them back.
func split(raw []byte, size int) []byte {
	n := len(raw) / size
	out := make([]byte, len(raw))
	for b := range size {
		plane := out[b*n:][:n]
		for i := range plane {
			plane[i] = raw[i*size+b]
		}
	}
	return out
}

func join(planes []byte, size int) []byte {
	n := len(planes) / size
	out := make([]byte, len(planes))
	for b := range size {
		for i, v := range planes[b*n:][:n] {
			out[i*size+b] = v
		}
	}
	return out
}

// IsPack tells whether a file begins as a pack does.
func IsPack(start []byte) bool { return bytes.HasPrefix(start, []byte(magic)) }
