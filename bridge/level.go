package bridge

// Code8 is the code, of the 256 of a file of 8 bits, that is nearest to a
// value: 0 for -1 and below, and for NaN, 255 for 1 and above.
func Code8(level float32) uint8 {
	c := (float64(level) + 1) * 127.5
	if !(c > 0) {
		return 0
	}
	return uint8(min(c, 255) + 0.5) // a float32 leaves no c so near to a half that this would round up
}

// Level8 is the value of a code, from -1 to 1.
func Level8(code uint8) float32 { return float32(float64(code)/127.5 - 1) }
