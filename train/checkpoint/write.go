package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"

	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/weights"
)

// Write makes a checkpoint; one tensor is in memory at a time.
func Write(w io.Writer, s State, r recipe.Recipe, h weights.Header, sets Sets) error {
	state, err := json.Marshal(s)
	if err != nil {
		return err
	}
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(`{"__metadata__":`)
	meta, err := json.Marshal(map[string]string{"format": format, "state": string(state), "header": string(header), "recipe": r.String()})
	if err != nil {
		return err
	}
	b.Write(meta)
	list := []struct {
		prefix string
		src    weights.Source
	}{{"", sets.Average}, {prefixWeights, sets.Weights}, {prefixMoment1, sets.Moment1}, {prefixMoment2, sets.Moment2}}
	at := 0
	for _, set := range list {
		for _, t := range set.src.Tensors() {
			name, err := json.Marshal(set.prefix + t.Name)
			if err != nil {
				return err
			}
			entry, err := json.Marshal(map[string]any{"dtype": "F32", "shape": t.Shape, "data_offsets": [2]int{at, at + 4*t.Len()}})
			if err != nil {
				return err
			}
			b.WriteByte(',')
			b.Write(name)
			b.WriteByte(':')
			b.Write(entry)
			at += 4 * t.Len()
		}
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(b.Len())); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	for _, set := range list {
		for _, t := range set.src.Tensors() {
			if err := writeTensor(w, set.src, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeTensor(w io.Writer, src weights.Source, t weights.Info) error {
	v := make([]float32, t.Len())
	if err := src.ReadF32(t.Name, v); err != nil {
		return err
	}
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	_, err := w.Write(raw)
	return err
}
