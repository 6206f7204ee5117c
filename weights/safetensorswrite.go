package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
)

// WriteSafetensors writes tensors as float32, whatever type their entries
// name; read gives the values of the i-th, and one is in memory at a time.
func WriteSafetensors(w io.Writer, metadata map[string]string, tensors []Info, read func(i int, dst []float32) error) error {
	if metadata == nil {
		metadata = map[string]string{}
	}
	var b bytes.Buffer
	meta, err := json.Marshal(metadata)
	if err != nil {
		return err
	}
	b.WriteString(`{"__metadata__":`)
	b.Write(meta)
	at := 0
	for _, t := range tensors {
		name, err := json.Marshal(t.Name)
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
	for i, t := range tensors {
		v := make([]float32, t.Len())
		if err := read(i, v); err != nil {
			return err
		}
		if err := binary.Write(w, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	return nil
}
