//go:build !js

package picture

import (
	"encoding/binary"
	"io"
	"maps"
	"math"
	"slices"
)

// Tags of TIFF directories.
const (
	tagDescription = 270
	tagProfile     = 34675
)

// tagTypes are ASCII and UNDEFINED; a value of either is counted in bytes.
var tagTypes = map[uint16]uint16{tagDescription: 2, tagProfile: 7}

const tagSize = 12

// tiffTag is the value of a tag of bytes in the first directory, or nil.
func tiffTag(r io.ReaderAt, tag uint16) []byte {
	head := readAt(r, 0, 8)
	if head == nil {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(head[4:]))
	count := readAt(r, at, 2)
	if count == nil {
		return nil
	}
	for i := range int64(order.Uint16(count)) {
		e := readAt(r, at+2+tagSize*i, tagSize)
		if e == nil {
			return nil
		}
		if order.Uint16(e) != tag {
			continue
		}
		n := int64(order.Uint32(e[4:]))
		if n <= 4 {
			return e[8 : 8+n]
		}
		return readAt(r, int64(order.Uint32(e[8:])), n)
	}
	return nil
}

// withTags adds tags to a TIFF of one directory, as the encoder makes them: it
// appends their values and a directory that takes the place of the other.
// Values have more than four bytes.
func withTags(b []byte, tags map[uint16][]byte) ([]byte, error) {
	le := binary.LittleEndian
	at := int(le.Uint32(b[4:]))
	n := int(le.Uint16(b[at:]))
	entries := slices.Collect(slices.Chunk(slices.Clone(b[at+2:at+2+tagSize*n]), tagSize))
	even := func() { // offsets are
		if len(b)%2 == 1 {
			b = append(b, 0)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		even()
		e := le.AppendUint16(le.AppendUint16(nil, tag), tagTypes[tag])
		e = le.AppendUint32(le.AppendUint32(e, uint32(len(tags[tag]))), uint32(len(b)))
		entries = append(entries, e)
		b = append(b, tags[tag]...)
	}
	slices.SortFunc(entries, func(x, y []byte) int { return int(le.Uint16(x)) - int(le.Uint16(y)) })
	even()
	if int64(len(b)) > math.MaxUint32 {
		return nil, &FormatError{"a TIFF has at most 4 GB; write a PNG"}
	}
	le.PutUint32(b[4:], uint32(len(b)))
	b = le.AppendUint16(b, uint16(len(entries)))
	b = append(b, slices.Concat(entries...)...)
	return le.AppendUint32(b, 0), nil
}
