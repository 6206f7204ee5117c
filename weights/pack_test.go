package weights

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func randomSource(t testing.TB) *Memory {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	infos := []Info{{"a.weight", []int{7, 5, 3, 3}, F32}, {"a.bias", []int{7}, F32}, {"big.weight", []int{300, 400}, F32}, {"none", []int{0, 4}, F32}, {"scalar", nil, F32}}
	var data [][]float32
	for _, i := range infos {
		v := make([]float32, i.Len())
		for k := range v {
			v[k] = float32(r.NormFloat64() * 0.1)
		}
		data = append(data, v)
	}
	m, err := NewMemory(infos, data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t testing.TB, o WriteOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, Header{Name: "test", Tasks: []Task{{Name: "jpeg", Steps: 2}}, Licence: "CC0-1.0"}, randomSource(t), o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(b []byte) (*Pack, error) { return OpenPack(bytes.NewReader(b), int64(len(b))) }

func TestRoundTrip(t *testing.T) {
	src := randomSource(t)
	// The largest error of an element, relative to the largest of its row.
	for enc, bound := range map[DType]float64{F32: 0, F16: 1.0 / 2048, BF16: 1.0 / 256, I8: 0.5/127 + 1e-6} {
		for _, planes := range []bool{true, false} {
			b := write(t, WriteOptions{Encoding: enc, NoPlanes: !planes})
			if !bytes.Equal(b, write(t, WriteOptions{Encoding: enc, NoPlanes: !planes})) {
				t.Errorf("%v: two packs of the same weights differ", enc)
			}
			p, err := open(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Verify(); err != nil {
				t.Error(err)
			}
			if p.Header().Name != "test" || p.Header().Tasks[0].Steps != 2 {
				t.Errorf("header %+v", p.Header())
			}
			for _, info := range src.Tensors() {
				want, got := make([]float32, info.Len()), make([]float32, info.Len())
				if err := src.ReadF32(info.Name, want); err != nil {
					t.Fatal(err)
				}
				if err := p.ReadF32(info.Name, got); err != nil {
					t.Fatal(err)
				}
				limit := bound
				if len(info.Shape) < 2 {
					limit = 0
				}
				for i := range want {
					top := 0.0
					if limit > 0 {
						per := info.Len() / info.Shape[0]
						for _, v := range want[i/per*per:][:per] {
							top = max(top, math.Abs(float64(v)))
						}
					}
					if math.Abs(float64(got[i]-want[i])) > limit*top {
						t.Fatalf("%v: %s[%d] = %v, was %v", enc, info.Name, i, got[i], want[i])
					}
				}
			}
		}
	}
}

func TestEveryTruncationIsAnError(t *testing.T) {
	b := write(t, WriteOptions{Encoding: F16})
	for n := 0; n < len(b); n += 1 + n/50 {
		p, err := open(b[:n])
		if err == nil {
			err = p.Verify()
		}
		if err == nil {
			t.Fatalf("%d of %d bytes: no error", n, len(b))
		}
	}
}

func TestEveryFlippedByteIsFound(t *testing.T) {
	b := write(t, WriteOptions{Encoding: I8})
	for n := 0; n < len(b); n += 1 + n/60 {
		if n == 10 || n == 11 {
			continue // the minor version: a newer one opens
		}
		c := bytes.Clone(b)
		c[n] ^= 0x10
		p, err := open(c)
		if err == nil {
			err = p.Verify()
		}
		if err == nil {
			t.Errorf("byte %d of %d changed: no error", n, len(b))
		}
	}
}

func TestVersions(t *testing.T) {
	b := write(t, WriteOptions{})
	minor, major := bytes.Clone(b), bytes.Clone(b)
	binary.LittleEndian.PutUint16(minor[10:], Minor+7)
	binary.LittleEndian.PutUint16(major[8:], Major+1)
	if _, err := open(minor); err != nil {
		t.Errorf("a newer minor version: %v", err)
	}
	if _, err := open(major); err == nil || !strings.Contains(err.Error(), "format 2.0") {
		t.Errorf("a newer major version: %v", err)
	}
}

// withHeader makes a pack of a hand-written header.
func withHeader(header string, data []byte) []byte {
	b := make([]byte, preamble)
	copy(b, magic)
	binary.LittleEndian.PutUint16(b[8:], Major)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum([]byte(header), castagnoli))
	binary.LittleEndian.PutUint64(b[16:], uint64(len(header)))
	return append(append(b, header...), data...)
}

func TestHostileHeaders(t *testing.T) {
	for name, h := range map[string]string{
		"no json":        `{`,
		"huge shape":     `{"tensors":[{"name":"a","shape":[1000000,1000000],"dtype":"f32","chunks":[]}]}`,
		"negative":       `{"tensors":[{"name":"a","shape":[-4],"dtype":"f32","chunks":[]}]}`,
		"outside":        `{"tensors":[{"name":"a","shape":[1],"dtype":"f32","chunks":[{"o":99,"n":4,"r":4}]}]}`,
		"negative place": `{"tensors":[{"name":"a","shape":[1],"dtype":"f32","chunks":[{"o":-1,"n":4,"r":4}]}]}`,
		"large chunk":    `{"tensors":[{"name":"a","shape":[1000000],"dtype":"f32","chunks":[{"o":0,"n":4,"r":4000000}]}]}`,
		"type":           `{"tensors":[{"name":"a","shape":[1],"dtype":"f8","chunks":[{"o":0,"n":4,"r":4}]}]}`,
		"twice":          `{"tensors":[{"name":"a","shape":[0],"dtype":"f32","chunks":[]},{"name":"a","shape":[0],"dtype":"f32","chunks":[]}]}`,
		"no scales":      `{"tensors":[{"name":"a","shape":[4],"dtype":"int8","chunks":[{"o":0,"n":4,"r":4}]}]}`,
		"bomb":           `{"tensors":[` + strings.Repeat(`{"name":"a","shape":[65536],"dtype":"f32","chunks":[{"o":0,"n":4,"r":262144}]},`, 9) + `{"name":"b","shape":[0],"dtype":"f32","chunks":[]}]}`,
	} {
		if _, err := open(withHeader(h, []byte("12345678"))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	huge := withHeader("{}", nil)
	binary.LittleEndian.PutUint64(huge[16:], 1<<62)
	if _, err := open(huge); err == nil {
		t.Error("a header of 2^62 bytes: no error")
	}
}

func TestHalfPrecision(t *testing.T) {
	for _, v := range []float32{0, 1, -1, 0.1, 65504, 1e-7, 6.1e-5, -3.3e-6, 1.0 / 3} {
		got := halfToFloat(floatToHalf(v))
		if math.Abs(float64(got-v)) > math.Max(math.Abs(float64(v))/2048, 1.0/(1<<25)) {
			t.Errorf("%v became %v", v, got)
		}
	}
	for h := range uint16(0x7c00) { // every finite half is itself
		if got := floatToHalf(halfToFloat(h)); got != h {
			t.Fatalf("%#x became %#x", h, got)
		}
	}
	if floatToHalf(65520) != 0x7c00 || floatToHalf(float32(math.NaN()))&0x3ff == 0 {
		t.Error("overflow or NaN")
	}
}

func TestWhatCannotBePacked(t *testing.T) {
	nan, _ := NewMemory([]Info{{"w", []int{1, 1}, F32}}, [][]float32{{float32(math.NaN())}})
	large, _ := NewMemory([]Info{{"w", []int{1, 1}, F32}}, [][]float32{{1e6}})
	if err := Write(new(bytes.Buffer), Header{}, nan, WriteOptions{}); err == nil {
		t.Error("NaN: no error")
	}
	if err := Write(new(bytes.Buffer), Header{}, large, WriteOptions{Encoding: F16}); err == nil {
		t.Error("1e6 in f16: no error")
	}
}

func TestVarianceIsCut(t *testing.T) {
	m, err := NewMemory([]Info{{"out.2.weight", []int{6, 1, 1, 1}, F32}, {"out.2.bias", []int{6}, F32}}, [][]float32{{1, 2, 3, 4, 5, 6}, {7, 8, 9, 0, 0, 0}})
	if err != nil {
		t.Fatal(err)
	}
	src := CutVariance(m)
	v := make([]float32, 3)
	if err := src.ReadF32("out.2.bias", v); err != nil || v[2] != 9 || src.Tensors()[0].Shape[0] != 3 {
		t.Errorf("%v %v %v", v, src.Tensors(), err)
	}
}
