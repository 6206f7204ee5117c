package weights

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// WriteOptions say how a pack is written.
type WriteOptions struct {
	Encoding DType // F32, F16, BF16 or I8, for tensors of two dimensions or more; the others stay f32
	NoPlanes bool  // do not split bytes into planes: to measure what it is worth
}

// Write makes a pack of all tensors of src. h.Tensors and h.Encoding are
// filled in. The same input gives the same bytes. The compressed chunks wait
// in a temporary file until the header, which comes first, is known: one chunk
// and one tensor are in memory at a time.
func Write(w io.Writer, h Header, src Source, o WriteOptions) error {
	if o.Encoding > I8 {
		return fmt.Errorf("pack: encoding %v: there are f32, f16, bf16 and int8", o.Encoding)
	}
	tmp, err := os.CreateTemp("", "i2sb-pack-*")
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	c := &chunker{w: bufio.NewWriterSize(tmp, 1<<20), enc: enc}
	h.Encoding, h.Tensors = o.Encoding.String(), nil
	for _, t := range src.Tensors() {
		e, err := c.tensor(t, src, o)
		if err != nil {
			return fmt.Errorf("pack: tensor %q: %w", t.Name, err)
		}
		h.Tensors = append(h.Tensors, e)
	}
	if err := c.w.Flush(); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	header, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	var b [preamble]byte
	copy(b[:], magic)
	le := binary.LittleEndian
	le.PutUint16(b[8:], Major)
	le.PutUint16(b[10:], Minor)
	le.PutUint32(b[12:], crc32.Checksum(header, castagnoli))
	le.PutUint64(b[16:], uint64(len(header)))
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	for _, part := range []func() error{
		func() error { _, err := w.Write(b[:]); return err },
		func() error { _, err := w.Write(header); return err },
		func() error { _, err := io.Copy(w, tmp); return err },
	} {
		if err := part(); err != nil {
			return fmt.Errorf("pack: %w", err)
		}
	}
	return nil
}

type chunker struct {
	w   *bufio.Writer
	enc *zstd.Encoder
	at  int64
}

func (c *chunker) chunk(raw []byte) (Chunk, error) {
	z := c.enc.EncodeAll(raw, nil)
	k := Chunk{Offset: c.at, Size: len(z), Raw: len(raw), CRC: crc32.Checksum(z, castagnoli)}
	c.at += int64(len(z))
	_, err := c.w.Write(z)
	return k, err
}

func (c *chunker) tensor(t Info, src Source, o WriteOptions) (Entry, error) {
	v := make([]float32, t.Len())
	if err := src.ReadF32(t.Name, v); err != nil {
		return Entry{}, err
	}
	for _, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return Entry{}, fmt.Errorf("it holds %v; a network with that restores nothing", x)
		}
	}
	d := o.Encoding
	if len(t.Shape) < 2 {
		d = F32
	}
	e := Entry{Name: t.Name, Shape: t.Shape, DType: d.String(), Planes: d.Size() > 1 && !o.NoPlanes}
	raw, scales, err := encode(d, v, t.Shape)
	if err != nil {
		return e, err
	}
	if scales != nil {
		b, _, _ := encode(F32, scales, nil)
		k, err := c.chunk(b)
		if err != nil {
			return e, err
		}
		e.Scales = &k
	}
	for part := range slices.Chunk(raw, chunkBytes) {
		if e.Planes {
			part = split(part, d.Size())
		}
		k, err := c.chunk(part)
		if err != nil {
			return e, err
		}
		e.Chunks = append(e.Chunks, k)
	}
	return e, nil
}

// encode stores values as d; int8 is symmetric with one scale for each index
// of the first dimension.
func encode(d DType, v []float32, shape []int) (raw []byte, scales []float32, err error) {
	le := binary.LittleEndian
	raw = make([]byte, 0, len(v)*d.Size())
	switch d {
	case F32:
		for _, x := range v {
			raw = le.AppendUint32(raw, math.Float32bits(x))
		}
	case F16:
		for _, x := range v {
			h := floatToHalf(x)
			if h&0x7c00 == 0x7c00 {
				return nil, nil, fmt.Errorf("%v does not fit f16; use bf16", x)
			}
			raw = le.AppendUint16(raw, h)
		}
	case BF16:
		for _, x := range v {
			raw = le.AppendUint16(raw, floatToBF16(x))
		}
	case I8:
		scales = make([]float32, shape[0])
		if len(v) == 0 {
			break
		}
		per := len(v) / shape[0]
		for k := range scales {
			row := v[k*per:][:per]
			top := float32(0)
			for _, x := range row {
				top = max(top, float32(math.Abs(float64(x))))
			}
			scales[k] = top / 127
			for _, x := range row {
				q := 0.0
				if top > 0 {
					q = math.Round(float64(x) / float64(scales[k]))
				}
				raw = append(raw, byte(int8(min(127, max(-127, q)))))
			}
		}
	}
	return raw, scales, nil
}
