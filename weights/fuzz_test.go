package weights

import (
	"archive/zip"
	"bytes"
	"os"
	"testing"
)

// readAll opens nothing large: tensors are read only up to what the file's own
// size allows, which is what the readers promise.
func readAll(t *testing.T, src Source, size int) {
	total := 0
	for _, info := range src.Tensors() {
		n := info.Len()
		if total += n; total > 70*size+1<<20 {
			t.Fatalf("the tensors claim %d elements, the file has %d bytes", total, size)
		}
		_ = src.ReadF32(info.Name, make([]float32, n))
	}
}

func FuzzPack(f *testing.F) {
	small, err := NewMemory([]Info{{"a", []int{2, 3}, F32}, {"b", []int{2}, F32}}, [][]float32{{1, 2, 3, 4, 5, 6}, {7, 8}})
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range []DType{F32, F16, BF16, I8} {
		var b bytes.Buffer
		if err := Write(&b, Header{Tasks: []Task{{Name: "jpeg"}}}, small, WriteOptions{Encoding: e}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add(withHeader(`{"tensors":[{"name":"a","shape":[1],"dtype":"f32","chunks":[{"o":0,"n":4,"r":4}]}]}`, []byte("1234")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := open(fixSum(b)); err == nil {
			_ = p.Verify()
			readAll(t, p, len(b))
		}
	})
}

// fixSum corrects the header's checksum, so that fuzzing gets behind it.
func fixSum(b []byte) []byte {
	if len(b) < preamble {
		return b
	}
	n := len(b) - preamble
	if m := int(b[16]) | int(b[17])<<8 | int(b[18])<<16; m < n {
		n = m
	}
	w := withHeader(string(b[preamble:preamble+n]), b[preamble+n:])
	copy(w[8:12], b[8:12])
	return w
}

func FuzzSafetensors(f *testing.F) {
	header := `{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"__metadata__":{"k":"v"}}`
	b := append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...)
	f.Add(append(b, 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\x7f{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := OpenSafetensors(bytes.NewReader(b), int64(len(b))); err == nil {
			readAll(t, s, len(b))
		}
	})
}

// stateDict is the pickle of {"w": a 1×2 float tensor}.
const stateDict = "\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x01K\x02\x86K\x02K\x01\x86\x89NtRs."

func torchZip(tb testing.TB, pickle string) []byte {
	return torchZipOf(tb, pickle, []byte("\x00\x00\x80\x3f\x00\x00\x00\x40"))
}

func torchZipOf(tb testing.TB, pickle string, storage []byte) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, body := range map[string]string{"x/data.pkl": pickle, "x/data/0": string(storage)} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestSmallestCheckpoint(t *testing.T) {
	b := torchZip(t, stateDict)
	c, err := OpenCheckpoint(bytes.NewReader(b), int64(len(b)), false)
	if err != nil {
		t.Fatal(err)
	}
	v := make([]float32, 2)
	if err := c.ReadF32("w", v); err != nil || v[0] != 1 || v[1] != 2 {
		t.Errorf("%v %v", v, err)
	}
	bad := torchZip(t, "\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
	if _, err := OpenCheckpoint(bytes.NewReader(bad), int64(len(bad)), false); err == nil {
		t.Error("os.system: no error")
	}
}

func FuzzCheckpoint(f *testing.F) {
	f.Add(torchZip(f, stateDict))
	f.Add([]byte("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02}.\x80\x02]."))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := OpenCheckpoint(bytes.NewReader(b), int64(len(b)), false); err == nil {
			readAll(t, c, len(b))
		}
	})
}

func FuzzPickle(f *testing.F) {
	if pkl, err := os.ReadFile("testdata/options.pkl"); err == nil {
		f.Add(pkl)
	}
	f.Add([]byte(stateDict))
	f.Add([]byte("\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94]\x94(K\x01K\x02eu."))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = unpickle(bytes.NewReader(b), int64(len(b)), int64(len(b)), torchGlobal, func(id any) (any, error) { return newStorage(id) })
		_, _ = ReadOptions(b)
	})
}
