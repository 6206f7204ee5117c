package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
)

// maxProfile bounds a colour profile; real ones have up to a few megabytes.
const maxProfile = 16 << 20

// profile takes the ICC profile out of a JPEG, PNG, WebP or TIFF; nil if there
// is none or it is malformed.
func profile(b []byte, format string) []byte {
	switch format {
	case "jpeg":
		return jpegProfile(b)
	case "png":
		return pngProfile(b)
	case "webp":
		return webpProfile(b)
	case "tiff":
		return tiffProfile(b)
	}
	return nil
}

const iccMark = "ICC_PROFILE\x00"

// jpegProfile joins the numbered APP2 segments.
func jpegProfile(b []byte) []byte {
	parts := map[int][]byte{}
	count := 0
	for at := 2; at+4 <= len(b) && b[at] == 0xff; {
		kind, n := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if kind == 0xda || n < 2 || at+2+n > len(b) {
			break
		}
		body := b[at+4 : at+2+n]
		if kind == 0xe2 && bytes.HasPrefix(body, []byte(iccMark)) && len(body) > len(iccMark)+2 {
			parts[int(body[12])], count = body[14:], int(body[13])
		}
		at += 2 + n
	}
	var icc []byte
	for i := 1; i <= count; i++ {
		if parts[i] == nil {
			return nil
		}
		icc = append(icc, parts[i]...)
	}
	return icc
}

// pngChunks calls f with every chunk until it returns false.
func pngChunks(b []byte, f func(kind string, body []byte) bool) {
	for at := 8; at+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n < 0 || n > len(b)-at-12 || !f(string(b[at+4:at+8]), b[at+8:at+8+n]) {
			return
		}
		at += 12 + n
	}
}

func pngProfile(b []byte) (icc []byte) {
	pngChunks(b, func(kind string, body []byte) bool {
		if kind == "iCCP" {
			if i := bytes.IndexByte(body, 0); i > 0 && i+2 <= len(body) {
				icc = inflate(body[i+2:])
			}
		}
		return kind != "IDAT" && icc == nil
	})
	return icc
}

// inflate is nil for what is malformed or too large.
func inflate(z []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(z))
	if err != nil {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	if err != nil || len(b) > maxProfile {
		return nil
	}
	return b
}

func webpProfile(b []byte) []byte {
	for at := 12; at+8 <= len(b); {
		n := int(binary.LittleEndian.Uint32(b[at+4:]))
		if n < 0 || n > len(b)-at-8 {
			return nil
		}
		if string(b[at:at+4]) == "ICCP" {
			return b[at+8 : at+8+n]
		}
		at += 8 + n + n%2
	}
	return nil
}

// tiffProfile finds tag 34675 in the first directory.
func tiffProfile(b []byte) []byte {
	if len(b) < 8 {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return nil
	}
	for i := range int64(order.Uint16(b[at:])) {
		e := at + 2 + 12*i
		if e+12 > int64(len(b)) {
			return nil
		}
		if order.Uint16(b[e:]) == 34675 {
			n, off := int64(order.Uint32(b[e+4:])), int64(order.Uint32(b[e+8:]))
			if off+n <= int64(len(b)) && n <= maxProfile {
				return b[off : off+n]
			}
			return nil
		}
	}
	return nil
}
