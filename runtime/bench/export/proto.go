package export

import (
	"encoding/binary"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protocol buffer in the making. Field numbers are those of
// onnx.proto.
type message []byte

func (m *message) bytes(field protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), b)
}

func (m *message) text(field protowire.Number, s string) { m.bytes(field, []byte(s)) }

func (m *message) number(field protowire.Number, v int64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), uint64(v))
}

func (m *message) float(field protowire.Number, v float32) {
	*m = protowire.AppendFixed32(protowire.AppendTag(*m, field, protowire.Fixed32Type), math.Float32bits(v))
}

// Element types of TensorProto.
const (
	float32Type = 1
	int64Type   = 7
)

// tensor is a TensorProto: raw little-endian bytes, or a place in a file.
type tensor struct {
	name   string
	dims   []int64
	typ    int64
	raw    []byte
	file   string
	offset int64
	bytes  int64
}

func (t tensor) encode() (m message) {
	for _, d := range t.dims {
		m.number(1, d)
	}
	m.number(2, t.typ)
	m.text(8, t.name)
	if t.file == "" {
		m.bytes(9, t.raw)
		return m
	}
	entry := func(key, value string) {
		var e message
		e.text(1, key)
		e.text(2, value)
		m.bytes(13, e)
	}
	entry("location", t.file)
	entry("offset", strconv.FormatInt(t.offset, 10))
	entry("length", strconv.FormatInt(t.bytes, 10))
	m.number(14, 1) // data_location: EXTERNAL
	return m
}

func int64s(v []int64) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, uint64(x))
	}
	return b
}

func float32s(v []float32) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// attribute is an AttributeProto of a float32, an int, a string or ints.
func attribute(name string, value any) (m message) {
	m.text(1, name)
	switch v := value.(type) {
	case float32:
		m.float(2, v)
		m.number(20, 1)
	case int:
		m.number(3, int64(v))
		m.number(20, 2)
	case string:
		m.text(4, v)
		m.number(20, 3)
	case []int64:
		for _, x := range v {
			m.number(8, x)
		}
		m.number(20, 7)
	}
	return m
}

// valueInfo is a ValueInfoProto of a float32 tensor.
func valueInfo(name string, dims ...int) message {
	var shape, typ, tensorType, v message
	for _, d := range dims {
		var dim message
		dim.number(1, int64(d))
		shape.bytes(1, dim)
	}
	tensorType.number(1, float32Type)
	tensorType.bytes(2, shape)
	typ.bytes(1, tensorType)
	v.text(1, name)
	v.bytes(2, typ)
	return v
}
