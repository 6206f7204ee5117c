//go:build !js

package picture

import (
	"bytes"
	"encoding/binary"
	"io"
)

// profile takes the ICC profile out of a JPEG, PNG, WebP or TIFF; nil if there
// is none or it is malformed.
func profile(b []byte, format string) []byte {
	r := bytes.NewReader(b)
	switch format {
	case "jpeg":
		return jpegProfile(r)
	case "png":
		return pngProfile(r)
	case "webp":
		return webpProfile(r)
	case "tiff":
		return tiffTag(r, tagProfile)
	}
	return nil
}

// describes tells whether a profile is for the colours of pictures: RGB, or
// grey.
func describes(icc []byte, grey bool) bool {
	want := "RGB "
	if grey {
		want = "GRAY"
	}
	return len(icc) >= 20 && string(icc[16:20]) == want
}

func webpProfile(r io.ReaderAt) []byte {
	for at := int64(12); ; {
		head := readAt(r, at, 8)
		if head == nil {
			return nil
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		if string(head[:4]) == "ICCP" {
			return readAt(r, at+8, n)
		}
		at += 8 + n + n%2
	}
}
