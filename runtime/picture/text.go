//go:build !js

package picture

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// ReadText reads what Encode recorded in a PNG, JPEG or TIFF, and the text that
// others left in such files, without decoding them: a JPEG's comment of
// another kind is under "Comment", a TIFF's description under "Description".
// It is empty if there is none.
func ReadText(r io.ReaderAt) map[string]string {
	switch head := string(readAt(r, 0, 4)); {
	case head == "\x89PNG":
		return pngText(r)
	case strings.HasPrefix(head, "\xff\xd8"):
		return unpackText(jpegComment(r), "Comment")
	case head == "II*\x00", head == "MM\x00*":
		return unpackText(strings.TrimRight(string(tiffTag(r, tagDescription)), "\x00"), "Description")
	}
	return nil
}

// packText makes one text of many, for formats that have room for one.
func packText(text map[string]string) []byte {
	b, _ := json.Marshal(text) // strings always marshal
	return b
}

func unpackText(s, otherwise string) (text map[string]string) {
	if s == "" {
		return nil
	}
	if json.Unmarshal([]byte(s), &text) != nil {
		return map[string]string{otherwise: s}
	}
	return text
}

// checkText holds text against the rules of PNG, the strictest, so that one
// picture can be written in any format.
func checkText(text map[string]string) error {
	for k, v := range text {
		name, ok := latin1(k)
		switch {
		case !ok || strings.TrimSpace(k) != k || strings.Contains(k, "  "):
			return &FormatError{fmt.Sprintf("text key %.100q: keys have printable Latin-1 characters and single spaces", k)}
		case len(name) < 1 || len(name) > 79:
			return &FormatError{fmt.Sprintf("text key %.100q: keys have 1 to 79 characters, not %d", k, len(name))}
		case !utf8.ValidString(v) || strings.Contains(v, "\x00"):
			return &FormatError{fmt.Sprintf("the text of %q is no UTF-8 or has a NUL in it", k)}
		}
	}
	return nil
}

// latin1 is false if there are characters that no PNG key can have.
func latin1(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r < ' ' || r > '~' && r < '\u00a1' || r > '\u00ff' {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}

func fromLatin1(s string) string {
	r := make([]rune, len(s))
	for i := range r {
		r[i] = rune(s[i])
	}
	return string(r)
}
