package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Formats that can be written, by the endings of their files.
var formats = map[string]string{".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff", ".bmp": "bmp"}

// FormatFromName is png, jpeg, tiff or bmp for a file's name.
func FormatFromName(name string) (string, error) {
	ext := strings.ToLower(filepath.Ext(name))
	if f, ok := formats[ext]; ok {
		return f, nil
	}
	return "", &FormatError{fmt.Sprintf("pictures are written as .png, .jpg, .tif or .bmp, not %q", ext)}
}

// Lossy tells what of the picture a format cannot hold, or "".
func (p *Picture) Lossy(format string) string {
	switch {
	case p.Alpha != nil && (format == "jpeg" || format == "bmp"):
		return "alpha"
	case p.Depth == 16 && (format == "jpeg" || format == "bmp"):
		return "16 bits"
	}
	return ""
}

// Encode writes the picture as png, jpeg (of a quality from 1 to 100), tiff or
// bmp. Depth, alpha and profile are kept where the format has them (see Lossy);
// Text is recorded in PNGs, sorted by key.
func Encode(w io.Writer, p *Picture, format string, quality int) error {
	q := *p
	if format == "jpeg" || format == "bmp" {
		q.Depth, q.Alpha = 8, nil
	}
	img := q.ToImage()
	var b bytes.Buffer
	switch format {
	case "png":
		if err := png.Encode(&b, img); err != nil {
			return err
		}
		return q.chunks(w, b.Bytes())
	case "jpeg":
		if quality < 1 || quality > 100 {
			return &FormatError{fmt.Sprintf("JPEG quality %d is outside 1 to 100", quality)}
		}
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			return err
		}
		return q.segments(w, b.Bytes())
	case "tiff":
		return tiff.Encode(w, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	case "bmp":
		return bmp.Encode(w, img)
	}
	return &FormatError{fmt.Sprintf("pictures are written as png, jpeg, tiff or bmp, not %q", format)}
}

// pngHead is the signature and the IHDR chunk, which come first.
const pngHead = 8 + 12 + 13

// chunks puts the profile and the text behind a PNG's header.
func (p *Picture) chunks(w io.Writer, b []byte) error {
	var extra bytes.Buffer
	if p.ICC != nil {
		var z bytes.Buffer
		z.WriteString("icc\x00\x00")
		c := zlib.NewWriter(&z)
		c.Write(p.ICC)
		c.Close()
		chunk(&extra, "iCCP", z.Bytes())
	}
	for _, k := range slices.Sorted(maps.Keys(p.Text)) {
		// iTXt: keyword, no compression, no language, UTF-8 text.
		chunk(&extra, "iTXt", []byte(k+"\x00\x00\x00\x00\x00"+p.Text[k]))
	}
	for _, part := range [][]byte{b[:pngHead], extra.Bytes(), b[pngHead:]} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func chunk(w *bytes.Buffer, kind string, body []byte) {
	be := binary.BigEndian
	w.Write(be.AppendUint32(nil, uint32(len(body))))
	all := append([]byte(kind), body...)
	w.Write(all)
	w.Write(be.AppendUint32(nil, crc32.ChecksumIEEE(all)))
}

// segments puts the profile behind a JPEG's start, in APP2 segments.
func (p *Picture) segments(w io.Writer, b []byte) error {
	const most = 65535 - 2 - len(iccMark) - 2
	out := append([]byte(nil), b[:2]...)
	count := (len(p.ICC) + most - 1) / most
	if count < 256 {
		i := 0
		for part := range slices.Chunk(p.ICC, most) {
			i++
			out = append(out, 0xff, 0xe2)
			out = binary.BigEndian.AppendUint16(out, uint16(2+len(iccMark)+2+len(part)))
			out = append(out, iccMark...)
			out = append(out, byte(i), byte(count))
			out = append(out, part...)
		}
	}
	if _, err := w.Write(out); err != nil {
		return err
	}
	_, err := w.Write(b[2:])
	return err
}

// ReadText reads the text chunks of a PNG without decoding it; nil for other
// files. Only tEXt and uncompressed iTXt before the pixels are read.
func ReadText(r io.Reader) (map[string]string, error) {
	b, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil || len(b) < pngHead || string(b[1:4]) != "PNG" {
		return nil, err
	}
	text := map[string]string{}
	pngChunks(b, func(kind string, body []byte) bool {
		k, v, ok := strings.Cut(string(body), "\x00")
		if kind == "tEXt" && ok {
			text[k] = v
		}
		if kind == "iTXt" && ok && strings.HasPrefix(v, "\x00\x00\x00\x00") {
			text[k] = v[4:]
		}
		return kind != "IDAT"
	})
	return text, nil
}
