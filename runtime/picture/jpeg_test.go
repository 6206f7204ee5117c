package picture

import (
	"bytes"
	"math"
	"math/bits"
	"testing"
)

// fourChannels is an 8×8 JPEG of one colour in four channels. transform is
// what Adobe's marker says: 0 is CMYK, 2 is YCCK; 255 is no ink.
func fourChannels(transform byte, colour [4]int) []byte {
	b := []byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00")
	b = append(b, transform)
	b = append(append(b, "\xff\xdb\x00\x43\x00"...), bytes.Repeat([]byte{8}, 64)...) // a constant is quantized by 8, that is by 1
	b = append(b, "\xff\xc0\x00\x14\x08\x00\x08\x00\x08\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00"...)
	// Nine lengths of constants, each of four bits; and the end of a block, 0.
	b = append(b, "\xff\xc4\x00\x1c\x00\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08"...)
	b = append(b, "\xff\xc4\x00\x14\x10\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	b = append(b, "\xff\xda\x00\x0e\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3f\x00"...)
	var word uint64
	used := 0
	put := func(v, n int) {
		word |= uint64(v) << (64 - used - n)
		used += n
	}
	for _, v := range colour {
		v -= 128
		n := bits.Len(uint(max(v, -v)))
		put(n, 4)
		if v < 0 {
			v += 1<<n - 1
		}
		put(v, n)
		put(0, 1)
	}
	put(1<<((64-used)%8)-1, (64-used)%8) // ones fill the last byte
	for i := range used / 8 {
		v := byte(word >> (56 - 8*i))
		if b = append(b, v); v == 0xff {
			b = append(b, 0)
		}
	}
	return append(b, 0xff, 0xd9)
}

func TestFourChannels(t *testing.T) {
	for name, b := range map[string][]byte{
		"CMYK": fourChannels(0, [4]int{255, 0, 102, 255}),
		"half": fourChannels(0, [4]int{255, 0, 102, 128}),
		"YCCK": fourChannels(2, [4]int{167, 120, 9, 255}), // of the inks, 255-C and so on
	} {
		want := [3]float64{255, 0, 102}
		if name == "half" { // as much black again
			want = [3]float64{128, 0, 51}
		}
		p := decode(t, b)
		if p.Image.C != 3 || p.Image.W != 8 || p.Image.H != 8 || p.Grey || p.Alpha != nil {
			t.Fatalf("%s: %d×%d×%d, grey %v, alpha %v", name, p.Image.C, p.Image.H, p.Image.W, p.Grey, p.Alpha)
		}
		for c, w := range want {
			if v := (float64(p.Image.Plane(c)[63]) + 1) * 127.5; math.Abs(v-w) > 1.5 {
				t.Errorf("%s: channel %d is %v, want %v", name, c, v, w)
			}
		}
		for n := range b {
			if _, err := Decode(bytes.NewReader(b[:n]), Limits{}); err == nil {
				t.Errorf("%s: %d of %d bytes: no error", name, n, len(b))
			}
		}
	}
}
