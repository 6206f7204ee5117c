//go:build !js

package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Markers of JPEG segments.
const (
	markProfile = 0xe2 // APP2
	markScan    = 0xda
	markComment = 0xfe
	maxSegment  = 65535 - 2
)

const iccMark = "ICC_PROFILE\x00"

// segments makes those that hold a profile and a text.
func segments(icc []byte, text map[string]string) (out []byte, err error) {
	const most = maxSegment - len(iccMark) - 2
	add := func(kind byte, parts ...[]byte) {
		body := slices.Concat(parts...)
		out = binary.BigEndian.AppendUint16(append(out, 0xff, kind), uint16(2+len(body)))
		out = append(out, body...)
	}
	count, i := (len(icc)+most-1)/most, 0
	for part := range slices.Chunk(icc, most) {
		i++
		add(markProfile, []byte(iccMark), []byte{byte(i), byte(count)}, part)
	}
	if len(text) > 0 {
		comment := packText(text)
		if len(comment) > maxSegment {
			return nil, &FormatError{fmt.Sprintf("the text has %d bytes, a JPEG's comment at most %d; write a PNG", len(comment), maxSegment)}
		}
		add(markComment, comment)
	}
	return out, nil
}

// jpegSegments calls f with every segment before the pixels until it returns
// false. Only bodies that are asked for are read.
func jpegSegments(r io.ReaderAt, f func(kind byte, body func() []byte) bool) {
	for at := int64(2); ; {
		head := readAt(r, at, 4)
		if head == nil || head[0] != 0xff || head[1] == markScan {
			return
		}
		if head[1] == 0xff { // a marker may have several
			at++
			continue
		}
		n := int64(binary.BigEndian.Uint16(head[2:]))
		if n < 2 || !f(head[1], func() []byte { return readAt(r, at+4, n-2) }) {
			return
		}
		at += 2 + n
	}
}

// jpegProfile joins the numbered APP2 segments.
func jpegProfile(r io.ReaderAt) []byte {
	parts := map[int][]byte{}
	count := 0
	jpegSegments(r, func(kind byte, body func() []byte) bool {
		if kind != markProfile {
			return true
		}
		if b := body(); bytes.HasPrefix(b, []byte(iccMark)) && len(b) > len(iccMark)+2 {
			parts[int(b[12])], count = b[14:], int(b[13])
		}
		return true
	})
	var icc []byte
	for i := 1; i <= count; i++ {
		if parts[i] == nil {
			return nil
		}
		icc = append(icc, parts[i]...)
	}
	return icc
}

// jpegComment is the first comment.
func jpegComment(r io.ReaderAt) (s string) {
	jpegSegments(r, func(kind byte, body func() []byte) bool {
		if kind == markComment {
			s = string(body())
		}
		return s == ""
	})
	return s
}
