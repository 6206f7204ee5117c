package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

// What is written quickly must be read as what is written slowly.
func TestQuickPNG(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []int{1, 3} {
		for _, depth := range []int{8, 16} {
			for _, alpha := range []string{"none", "opaque", "some"} {
				for _, side := range [][2]int{{1, 1}, {2, 1}, {1, 3}, {7, 5}, {33, 18}, {200, 150}} {
					w, h := side[0], side[1]
					p := &Picture{Image: bridge.NewImage(c, h, w), Depth: depth, Grey: c == 1, Text: map[string]string{"a": "b"},
						ICC: rgbProfile(100, map[int]string{1: "GRAY", 3: "RGB "}[c])}
					for i := range p.Image.Pix {
						p.Image.Pix[i] = 1.2 * float32(math.Sin(float64(i)/9))
						if w < 100 { // nothing repeats, and all bytes occur
							p.Image.Pix[i] = 2.2*random.Float32() - 1.1
						}
					}
					if alpha != "none" {
						p.Alpha = slices.Repeat([]uint16{65535}, w*h)
					}
					if alpha == "some" {
						for i := range p.Alpha {
							p.Alpha[i] = uint16(random.Uint32())
						}
					}
					var b bytes.Buffer
					if err := EncodeQuickly(&b, p, "png", 0); err != nil {
						t.Fatal(err)
					}
					slow := encode(t, p, "png")
					if raw := (c + 1) * depth / 8 * w * h; b.Len() > raw+h+400 {
						t.Errorf("%d channels of %d bits, alpha %s, %d×%d: %d bytes of %d", c, depth, alpha, w, h, b.Len(), raw)
					}
					got, want := decode(t, b.Bytes()), decode(t, slow)
					if want.Alpha != nil && opaque(want.Alpha) { // which is not written quickly
						want.Alpha = nil
					}
					if got.Grey != want.Grey || got.Depth != want.Depth || !slices.Equal(got.Image.Pix, want.Image.Pix) || !slices.Equal(got.Alpha, want.Alpha) ||
						!bytes.Equal(got.ICC, p.ICC) || !maps.Equal(ReadText(bytes.NewReader(b.Bytes())), p.Text) {
						t.Errorf("%d channels of %d bits, alpha %s, %d×%d: another picture", c, depth, alpha, w, h)
					}
				}
			}
		}
	}
}

// Noise has nothing that repeats, but its bytes are not all as frequent.
func TestQuickPNGOfNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p := &Picture{Image: bridge.NewImage(3, 100, 100), Depth: 8}
	for i := range p.Image.Pix {
		p.Image.Pix[i] = float32(random.NormFloat64() / 10)
	}
	var b bytes.Buffer
	if err := EncodeQuickly(&b, p, "png", 0); err != nil || b.Len() > 27000 {
		t.Errorf("%d bytes of 30000, %v", b.Len(), err)
	}
}

// Rounding must be that of math.Round about every step, and exact between them.
func TestQuantize(t *testing.T) {
	for _, top := range []float64{255, 65535} {
		for i := range int(top) + 2 {
			v := float32((float64(i)-0.5)*2/top - 1)
			for _, v := range []float32{math.Nextafter32(v, -2), v, math.Nextafter32(v, 2)} {
				want := math.Round(min(max((float64(v)+1)*top/2, 0), top))
				if got := quantize(v, top); float64(got) != want {
					t.Fatalf("%v of %v is %d, want %v", v, top, got, want)
				}
			}
		}
	}
	for i := range 65536 {
		if v := Level(uint16(i)); v != float32(float64(i)/32767.5-1) || Code(v) != uint16(i) {
			t.Fatalf("%d: %v", i, v)
		}
	}
}

// kinds are noise of all kinds that readPNG reads, and of others.
func kinds(w, h int) map[string]draw.Image {
	r := image.Rect(0, 0, w, h)
	palette := color.Palette{color.Black, color.White, color.NRGBA{200, 100, 50, 100}}
	all := map[string]draw.Image{"RGB": image.NewRGBA(r), "RGBA": image.NewNRGBA(r), "grey": image.NewGray(r),
		"16": image.NewNRGBA64(r), "palette": image.NewPaletted(r, palette)}
	random := rand.New(rand.NewPCG(1, 2))
	for name, m := range all {
		for i := range w * h {
			v := random.Uint32()
			c := color.NRGBA{uint8(v), uint8(v>>8) / 16 * uint8(i%3), uint8(i), uint8(v >> 24)}
			if name == "RGB" {
				c.A = 255
			}
			m.Set(i%w, i/w, c)
		}
	}
	return all
}

func equal(p, q *Picture) bool {
	return p.Image.C == q.Image.C && p.Image.W == q.Image.W && p.Image.H == q.Image.H && p.Depth == q.Depth && p.Grey == q.Grey &&
		slices.Equal(p.Image.Pix, q.Image.Pix) && slices.Equal(p.Alpha, q.Alpha)
}

// What is read quickly must be what image/png reads, with every filter.
func TestReadPNG(t *testing.T) {
	for _, side := range [][2]int{{1, 1}, {2, 3}, {9, 6}, {120, 90}} {
		for name, m := range kinds(side[0], side[1]) {
			b := pngOf(t, m)
			got, ok := readPNG(b)
			if ok != (name == "RGB" || name == "RGBA" || name == "grey") {
				t.Errorf("%s %v: %v", name, side, ok)
			}
			if want, err := decodePixels(b, "png"); err != nil || ok && !equal(got, want) {
				t.Errorf("%s %v: another picture, %v", name, side, err)
			}
		}
	}
	const w, h, n = 13, 25, 3
	random := rand.New(rand.NewPCG(3, 4))
	raw := make([]byte, h*(1+n*w))
	for i := range raw {
		if raw[i] = byte(random.Uint32()); i%(1+n*w) == 0 {
			raw[i] = byte(i / (1 + n*w) % 5) // the filter
		}
	}
	z := deflaters.Get().(interface {
		Reset(io.Writer)
		io.WriteCloser
	})
	var packed bytes.Buffer
	z.Reset(&packed)
	z.Write(raw)
	z.Close()
	file := func(data []byte, more ...string) []byte {
		head := []byte("\x89PNG\r\n\x1a\n")
		head = appendChunk(head, "IHDR", append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h), 8, 2, 0, 0, 0))
		for _, kind := range more {
			head = appendChunk(head, kind, []byte{1, 2, 3, 4, 5, 6})
		}
		for part := range slices.Chunk(data, 100) {
			head = appendChunk(head, "IDAT", part)
		}
		return appendChunk(head, "IEND", nil)
	}
	whole := file(packed.Bytes())
	got, ok := readPNG(whole)
	if want, err := decodePixels(whole, "png"); err != nil || !ok || !equal(got, want) {
		t.Errorf("filters: %v, %v", ok, err)
	}
	wrongSum := bytes.Clone(packed.Bytes())
	wrongSum[len(wrongSum)-1]++
	wrongCRC := bytes.Clone(whole)
	wrongCRC[pngHead-1]++
	binary.BigEndian.PutUint32(wrongCRC[pngHead-4:], ^crc32.ChecksumIEEE(wrongCRC[12:pngHead-4]))
	for name, b := range map[string][]byte{"one colour is transparent": file(packed.Bytes(), "tRNS"), "a palette": file(packed.Bytes(), "PLTE"), "cut off": whole[:len(whole)-30],
		"too few rows": file(packed.Bytes()[:len(packed.Bytes())-200]), "more than pixels": file(append(packed.Bytes(), 0)), "wrong sum": file(wrongSum), "wrong CRC": wrongCRC, "no pixels": file(nil)} {
		if _, ok := readPNG(b); ok {
			t.Errorf("%s: it is read", name)
		}
	}
}
