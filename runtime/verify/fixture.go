package verify

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/weights"
)

// fixture is an opened safetensors file.
type fixture struct {
	file  *os.File
	src   *weights.Safetensors
	meta  map[string]string
	infos map[string]weights.Info
}

func openFixture(path string) (*fixture, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	s, err := weights.OpenSafetensors(f, info.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	x := &fixture{file: f, src: s, meta: s.Metadata(), infos: map[string]weights.Info{}}
	for _, t := range s.Tensors() {
		x.infos[t.Name] = t
	}
	return x, nil
}

func (f *fixture) close() { f.file.Close() }

// tensor is a reference tensor, or ours, as float32.
type tensor struct {
	shape []int
	v     []float32
}

// slice is item b of a batch.
func (t *tensor) slice(b int) []float32 {
	n := len(t.v) / t.shape[0]
	return t.v[b*n : (b+1)*n]
}

// firstBytes is the beginning of a file, by which its format is known, and its
// size.
func firstBytes(path string) ([]byte, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	b := make([]byte, 64)
	n, err := io.ReadFull(f, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, 0, err
	}
	return b[:n], info.Size(), nil
}

func (f *fixture) has(names ...string) bool {
	for _, n := range names {
		if _, ok := f.infos[n]; !ok {
			return false
		}
	}
	return true
}

func (f *fixture) any(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return f.has(n) })
}

func (f *fixture) anyPrefix(prefix string) bool {
	for n := range f.infos {
		if strings.HasPrefix(n, prefix) {
			return true
		}
	}
	return false
}

// names lists the tensors in the order of the file.
func (f *fixture) names() []string {
	var n []string
	for _, t := range f.src.Tensors() {
		n = append(n, t.Name)
	}
	return n
}

// only refuses tensors that a kind does not know.
func (f *fixture) only(known func(string) bool) error {
	for _, n := range f.names() {
		if !known(n) {
			return fmt.Errorf("verify does not know what the tensor %s is", n)
		}
	}
	return nil
}

// read reads a tensor, whatever its type, as float32.
func (f *fixture) read(name string) (*tensor, error) {
	info, ok := f.infos[name]
	if !ok {
		return nil, fmt.Errorf("the tensor %s is missing", name)
	}
	t := &tensor{shape: info.Shape, v: make([]float32, size(info.Shape))}
	if len(t.v) == 0 {
		return nil, fmt.Errorf("the tensor %s is empty", name)
	}
	return t, f.src.ReadF32(name, t.v)
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// text is an entry of the metadata, or a default, or an error if there is none.
func (f *fixture) text(key string, standard ...string) (string, error) {
	if s, ok := f.meta[key]; ok {
		return s, nil
	}
	if len(standard) == 0 {
		return "", fmt.Errorf("the metadata lacks %s", key)
	}
	return standard[0], nil
}

func (f *fixture) number(key string, standard ...string) (float64, error) {
	s, err := f.text(key, standard...)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("the metadata says %s %q, which is no number", key, s)
	}
	return v, nil
}

func (f *fixture) integer(key string, standard ...string) (int, error) {
	v, err := f.number(key, standard...)
	if err == nil && v != float64(int32(v)) {
		err = fmt.Errorf("the metadata says %s %v, which is no whole number", key, v)
	}
	return int(v), err
}

func (f *fixture) flag(key string, standard ...string) (bool, error) {
	s, err := f.text(key, standard...)
	if err != nil {
		return false, err
	}
	v, err := strconv.ParseBool(strings.ToLower(s))
	if err != nil {
		return false, fmt.Errorf("the metadata says %s %q, which is neither true nor false", key, s)
	}
	return v, nil
}

// sameShape compares a reference tensor's shape with that of ours; ones at
// the end do not count, and a picture may be flat.
func sameShape(name string, want, got *tensor) error {
	a, b := trim(want.shape), trim(got.shape)
	if fmt.Sprint(a) == fmt.Sprint(b) {
		return nil
	}
	if len(a) == 3 && len(b) == 4 && a[0] == b[0] && a[1] == b[1] && len(want.v) == len(got.v) {
		return nil
	}
	return fmt.Errorf("the tensor %s is %v, ours is %v", name, want.shape, got.shape)
}

func trim(s []int) []int {
	for len(s) > 2 && s[len(s)-1] == 1 {
		s = s[:len(s)-1]
	}
	return s
}
