package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// What a file makes the readers allocate is in proportion to its size, however
// it is made: here each of its bytes or few of them ask for something.
func TestMemoryIsInProportion(t *testing.T) {
	const size = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	checkpoint := func(b []byte) (err error) {
		_, err = OpenCheckpoint(bytes.NewReader(b), int64(len(b)), false)
		return err
	}
	files := map[string][]byte{
		"pack of tensors": withHeader(`{"tensors":[{}`+fill(",{}")+`]}`, nil),
		"pack of tasks":   withHeader(`{"tasks":[{}`+fill(",{}")+`]}`, nil),
		"pack of chunks":  withHeader(`{"tensors":[{"chunks":[{}`+fill(",{}")+`]}]}`, nil),
		"pack of sides":   withHeader(`{"tensors":[{"shape":[0`+fill(",0")+`]}]}`, nil),
		"pack of names":   withHeader(`{"tasks":[{"trained":[""`+fill(`,""`)+`]}],"tensors":[{}]}`, nil),
	}
	for name, ops := range map[string]string{
		"lists": "]", "dicts": "}", "nones": "N", "marks": "(", "memo": "\x94", "tuples": "\x85", "appends": "]a", "strings": "U\x00", "items": "}}s", "sets": "(\x91",
	} {
		p := "\x80\x02]" + fill(ops)
		files["zip of "+name] = torchZip(t, p)
		files["legacy of "+name] = []byte(legacyStart + "\x80\x02M\xe9\x03.\x80\x02}." + p)
	}
	for name, b := range files {
		open := checkpoint
		if IsPack(b) {
			open = func(b []byte) (err error) { _, err = OpenPack(bytes.NewReader(b), int64(len(b))); return err }
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := open(b)
		runtime.ReadMemStats(&after)
		if err == nil || len(err.Error()) > 200 {
			t.Errorf("%s: the error is %.300v", name, err)
		}
		// In all, of which the most is garbage of what grows.
		if n := int(after.TotalAlloc - before.TotalAlloc); n > 16<<20+40*len(b) {
			t.Errorf("%s: %d bytes were allocated for %d", name, n, len(b))
		}
	}
}

const legacyStart = "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

// One storage or place in the file cannot be many tensors.
func TestTensorsOfTheSameBytes(t *testing.T) {
	const bytesOf = 1 << 12
	var p, h strings.Builder
	p.WriteString("\x80\x02}ctorch._utils\n_rebuild_tensor_v2\nq\x00(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuM\x00\x04tQq\x0100")
	h.WriteString(`{"a":{"dtype":"F32","shape":[1024],"data_offsets":[0,4096]}`)
	for i := range 100 {
		name := fmt.Sprintf("%03d", i)
		p.WriteString("X\x03\x00\x00\x00" + name + "h\x00(h\x01K\x00M\x00\x04\x85K\x01\x85\x89NtRs")
		fmt.Fprintf(&h, `,%q:{"dtype":"F32","shape":[1024],"data_offsets":[0,4096]}`, name)
	}
	b := torchZipOf(t, p.String()+".", make([]byte, bytesOf))
	if _, err := OpenCheckpoint(bytes.NewReader(b), int64(len(b)), false); err == nil || !strings.Contains(err.Error(), "more than 8 times") {
		t.Errorf("checkpoint: %v", err)
	}
	h.WriteString("}")
	s := binary.LittleEndian.AppendUint64(nil, uint64(h.Len()))
	s = append(append(s, h.String()...), make([]byte, bytesOf)...)
	if _, err := OpenSafetensors(bytes.NewReader(s), int64(len(s))); err == nil || !strings.Contains(err.Error(), "lies within another") {
		t.Errorf("safetensors: %v", err)
	}
}
