package verify

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// file is a safetensors file in memory, to make bad fixtures of good ones.
type file struct {
	meta    map[string]string
	tensors map[string]*raw
}

type raw struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
	data    []byte
}

func readFile(t testing.TB, name string) *file {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b)
	var head map[string]json.RawMessage
	if err := json.Unmarshal(b[8:8+n], &head); err != nil {
		t.Fatal(err)
	}
	f := &file{meta: map[string]string{}, tensors: map[string]*raw{}}
	for k, v := range head {
		if k == "__metadata__" {
			err = json.Unmarshal(v, &f.meta)
		} else {
			r := &raw{}
			err = json.Unmarshal(v, r)
			r.data = append([]byte(nil), b[8+n:][r.Offsets[0]:r.Offsets[1]]...)
			f.tensors[k] = r
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// write writes the file under a name in dir.
func (f *file) write(t testing.TB, dir, name string) string {
	t.Helper()
	head := map[string]any{}
	if len(f.meta) > 0 {
		head["__metadata__"] = f.meta
	}
	var names []string
	for k := range f.tensors {
		names = append(names, k)
	}
	sort.Strings(names)
	var data []byte
	for _, k := range names {
		r := *f.tensors[k] // one tensor may have several names
		r.Offsets = [2]int64{int64(len(data)), int64(len(data) + len(r.data))}
		head[k] = r
		data = append(data, r.data...)
	}
	h, err := json.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(h)))
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, append(append(b, h...), data...), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// add adds v to element i of a tensor.
func (f *file) add(name string, i int, v float32) {
	r := f.tensors[name]
	switch r.DType {
	case "F32":
		x := math.Float32frombits(binary.LittleEndian.Uint32(r.data[4*i:]))
		binary.LittleEndian.PutUint32(r.data[4*i:], math.Float32bits(x+v))
	case "I64":
		binary.LittleEndian.PutUint64(r.data[8*i:], binary.LittleEndian.Uint64(r.data[8*i:])+uint64(v))
	case "U8":
		r.data[i] += uint8(v)
	}
}

// double repeats every item of a batch.
func (f *file) double(names ...string) {
	for _, n := range names {
		r := f.tensors[n]
		r.Shape[0] *= 2
		r.data = append(r.data, r.data...)
	}
}

// link makes the other fixtures that a fixture names available in dir.
func link(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, n := range names {
		from := "testdata"
		if strings.HasSuffix(n, ".pt") {
			from = "../../weights/testdata"
		}
		abs, err := filepath.Abs(filepath.Join(from, n))
		if err == nil {
			err = os.Symlink(abs, filepath.Join(dir, n))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
