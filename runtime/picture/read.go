//go:build !js

package picture

import "io"

// maxPart bounds a profile or a text: what the 255 segments of a JPEG's profile
// hold. Real profiles have up to a few megabytes.
const maxPart = 255 * (maxSegment - len(iccMark) - 2)

// readAt reads a part of a file; nil if it is not all there or implausibly
// large.
func readAt(r io.ReaderAt, off, n int64) []byte {
	if n > int64(maxPart) {
		return nil
	}
	b := make([]byte, n)
	if k, _ := r.ReadAt(b, off); k < len(b) {
		return nil
	}
	return b
}
