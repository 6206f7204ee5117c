package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sort"
)

// Safetensors is an opened safetensors file.
type Safetensors struct {
	index
	r        io.ReaderAt
	offsets  []int64
	metadata map[string]string
}

// safetensorsHeaderLimit is the format's own limit.
const safetensorsHeaderLimit = 100 << 20

// IsSafetensors tells whether a file of size bytes begins as a safetensors file
// does: with the length of a header that it has room for, and a brace. That
// length may begin as any other format.
func IsSafetensors(start []byte, size int64) bool {
	return len(start) > 8 && start[8] == '{' && binary.LittleEndian.Uint64(start) <= uint64(max(0, size-8))
}

var safetensorsTypes = map[string]DType{"F32": F32, "F16": F16, "BF16": BF16, "F64": F64, "I64": I64, "I32": I32, "I8": I8, "U8": U8, "BOOL": Bool}

// OpenSafetensors reads the header of a file of size bytes. r must stay usable
// until the last read.
func OpenSafetensors(r io.ReaderAt, size int64) (*Safetensors, error) {
	var b [8]byte
	if size < 8 {
		return nil, fmt.Errorf("safetensors: %d bytes are too few; is the file cut off?", size)
	}
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	n := binary.LittleEndian.Uint64(b[:])
	if n < 2 || n > safetensorsHeaderLimit || int64(n) > size-8 {
		return nil, fmt.Errorf("safetensors: a header of %d bytes does not fit a file of %d; this is no safetensors file, or it is cut off", n, size)
	}
	raw := make([]byte, n)
	if _, err := r.ReadAt(raw, 8); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(bytes.TrimRight(raw, " "), &header); err != nil {
		return nil, fmt.Errorf("safetensors: the header is not JSON: %w", err)
	}
	s := &Safetensors{r: r}
	if m, ok := header["__metadata__"]; ok {
		if err := json.Unmarshal(m, &s.metadata); err != nil {
			return nil, fmt.Errorf("safetensors: __metadata__ does not map names to strings")
		}
		delete(header, "__metadata__")
	}
	return s, s.list(header, 8+int64(n), size)
}

// list checks every tensor's place and orders them as they lie.
func (s *Safetensors) list(header map[string]json.RawMessage, start, size int64) error {
	type entry struct {
		info Info
		at   int64
	}
	entries := make([]entry, 0, len(header))
	for name, raw := range header {
		var h struct {
			DType   string   `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}
		if err := json.Unmarshal(raw, &h); err != nil {
			return fmt.Errorf("safetensors: tensor %q: its entry is malformed", name)
		}
		d, ok := safetensorsTypes[h.DType]
		if !ok {
			return fmt.Errorf("safetensors: tensor %q has the unknown type %q", name, h.DType)
		}
		n, err := elements(h.Shape, size)
		if err != nil {
			return fmt.Errorf("safetensors: tensor %q: %w", name, err)
		}
		if h.Offsets[0] < 0 || h.Offsets[1] < h.Offsets[0] || h.Offsets[1] > size-start || h.Offsets[1]-h.Offsets[0] != n*int64(d.Size()) {
			return fmt.Errorf("safetensors: tensor %q: bytes %d to %d do not hold %v %s in a file of %d; is it cut off?", name, h.Offsets[0], h.Offsets[1], h.Shape, d, size)
		}
		entries = append(entries, entry{Info{name, h.Shape, d}, start + h.Offsets[0]})
	}
	sort.Slice(entries, func(i, j int) bool {
		if entries[i].at != entries[j].at {
			return entries[i].at < entries[j].at
		}
		return entries[i].info.Name < entries[j].info.Name
	})
	infos := make([]Info, len(entries))
	end := start
	for i, e := range entries {
		infos[i] = e.info
		if n := int64(e.info.Len() * e.info.DType.Size()); n > 0 {
			if e.at < end {
				return fmt.Errorf("safetensors: tensor %q lies within another", e.info.Name)
			}
			end = e.at + n
		}
		s.offsets = append(s.offsets, e.at)
	}
	var err error
	s.index, err = newIndex(infos)
	return err
}

// Metadata is the file's __metadata__, nil if it has none.
func (s *Safetensors) Metadata() map[string]string { return s.metadata }

// ReadF32 implements Source; integers are converted.
func (s *Safetensors) ReadF32(name string, dst []float32) error {
	i, err := s.find(name, len(dst))
	if err != nil {
		return err
	}
	raw := make([]byte, len(dst)*s.dtype(i).Size())
	if _, err := s.r.ReadAt(raw, s.offsets[i]); err != nil {
		return fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	decode(s.dtype(i), raw, dst)
	return nil
}

func (s *Safetensors) dtype(i int) DType { return s.index.list[i].DType }

// ReadI64 reads an integer tensor exactly.
func (s *Safetensors) ReadI64(name string) ([]int64, error) {
	i, ok := s.byName[name]
	if !ok || s.dtype(i) != I64 {
		return nil, fmt.Errorf("safetensors: there is no I64 tensor %q", name)
	}
	n := s.index.list[i].Len()
	raw := make([]byte, 8*n)
	if _, err := s.r.ReadAt(raw, s.offsets[i]); err != nil {
		return nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	out := make([]int64, n)
	for k := range out {
		out[k] = int64(binary.LittleEndian.Uint64(raw[8*k:]))
	}
	return out, nil
}

// Close implements Source; the reader is the caller's.
func (s *Safetensors) Close() error { return nil }
