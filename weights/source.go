package weights

import (
	"fmt"
	"math"
)

// DType is how a tensor's elements are stored.
type DType uint8

const (
	F32 DType = iota
	F16
	BF16
	I8 // with one scale per output channel
	F64
	I64
	I32
	U8
	Bool
)

var dtypes = [...]struct {
	name string
	size int
}{F32: {"f32", 4}, F16: {"f16", 2}, BF16: {"bf16", 2}, I8: {"int8", 1}, F64: {"f64", 8}, I64: {"i64", 8}, I32: {"i32", 4}, U8: {"u8", 1}, Bool: {"bool", 1}}

// String is the name used in packs and on the command line.
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Size is the number of bytes of an element.
func (d DType) Size() int { return dtypes[d].size }

// ParseDType finds an encoding of packs by name: f32, f16, bf16 or int8.
func ParseDType(name string) (DType, error) {
	for d := F32; d <= I8; d++ {
		if dtypes[d].name == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("weights: encoding %q: there are f32, f16, bf16 and int8", name)
}

// Info describes a tensor.
type Info struct {
	Name  string
	Shape []int
	DType DType
}

// Len is the number of elements.
func (i Info) Len() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// Source is an opened set of named tensors. It may be used by several
// goroutines.
type Source interface {
	// Tensors lists all tensors in the order of the file, which for networks
	// is the order of the reference's parameters.
	Tensors() []Info
	// ReadF32 decodes a tensor into dst, which has exactly its elements.
	ReadF32(name string, dst []float32) error
	Close() error
}

// elements multiplies a shape, refusing negative or absurd sizes: limit is in
// elements.
func elements(shape []int, limit int64) (int64, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || (d > 0 && n > limit/int64(d)) {
			return 0, fmt.Errorf("shape %v is larger than the file", shape)
		}
		n *= int64(d)
	}
	return n, nil
}

// index finds tensors by name and checks reads; sources embed it.
type index struct {
	list   []Info
	byName map[string]int
}

func newIndex(list []Info) (index, error) {
	x := index{list, make(map[string]int, len(list))}
	for i, t := range list {
		if _, twice := x.byName[t.Name]; twice {
			return x, fmt.Errorf("tensor %q appears twice", t.Name)
		}
		x.byName[t.Name] = i
	}
	return x, nil
}

func (x index) Tensors() []Info { return append([]Info(nil), x.list...) }

// find returns the position of a tensor that dst elements can take.
func (x index) find(name string, dst int) (int, error) {
	i, ok := x.byName[name]
	if !ok {
		return 0, fmt.Errorf("weights: there is no tensor %q", name)
	}
	if n := x.list[i].Len(); n != dst {
		return 0, fmt.Errorf("weights: tensor %q has %d elements (%v), %d are wanted", name, n, x.list[i].Shape, dst)
	}
	return i, nil
}

// Memory is a source whose tensors are in memory.
type Memory struct {
	index
	data [][]float32
}

// NewMemory makes a source of tensors in the given order; values are not
// copied. infos and data have the same length, each tensor its own elements.
func NewMemory(infos []Info, data [][]float32) (*Memory, error) {
	x, err := newIndex(infos)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	if len(infos) != len(data) {
		return nil, fmt.Errorf("weights: %d tensors, %d values", len(infos), len(data))
	}
	for i, t := range infos {
		if n, err := elements(t.Shape, math.MaxInt32); err != nil || n != int64(len(data[i])) {
			return nil, fmt.Errorf("weights: tensor %q of %v has %d elements", t.Name, t.Shape, len(data[i]))
		}
	}
	return &Memory{x, data}, nil
}

// ReadF32 implements Source.
func (m *Memory) ReadF32(name string, dst []float32) error {
	i, err := m.find(name, len(dst))
	if err != nil {
		return err
	}
	copy(dst, m.data[i])
	return nil
}

// Close implements Source.
func (m *Memory) Close() error { return nil }
