package runtime

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/weights"
)

// degraded is a picture of levels of 16 bits, or of numbers between them.
func degraded(h, w int, coded bool) *bridge.Image {
	x := bridge.NewImage(3, h, w)
	for i := range x.Pix {
		x.Pix[i] = float32(math.Sin(float64(i)))
		if coded {
			x.Pix[i] = picture.Level(picture.Code(x.Pix[i]))
		}
	}
	return x
}

// holes has known pixels, holes and what lies between.
func holes(h, w int) *Mask {
	m := &Mask{W: w, H: h, Values: make([]uint8, w*h)}
	for i := range m.Values {
		m.Values[i] = []uint8{0, 0, 255, 128}[i%w/4%4]
	}
	return m
}

// The rows that a canvas asks for are those of the padded picture, its hole
// filled and noise added, whatever columns it asks for.
func TestOriginIsThePicture(t *testing.T) {
	const h, w, padH, padW = 6, 9, 8, 12
	mask := padMask(holes(h, w), padW, padH)
	for _, coded := range []bool{false, true} {
		x := degraded(h, w, coded)
		cond := bridge.NewImage(3, padH, padW)
		for i := range cond.Pix {
			c, y, x1 := i/(padH*padW), i/padW%padH, i%padW
			cond.Pix[i] = x.Plane(c)[reflect(y, h)*w+reflect(x1, w)]
		}
		n := bridge.NewNoise(3)
		bridge.FillHole(cond, mask, n)
		x1 := &bridge.Image{C: 3, H: padH, W: padW, Pix: slices.Clone(cond.Pix)}
		bridge.AddNoise(x1, n)
		f := &origin{picture: encode(x.Pix), w: w, h: h, mask: mask, padW: padW, noise: n, noisy: true, room: make([]float32, padW)}
		if coded != (f.picture.codes != nil) {
			t.Errorf("levels of a picture %v: held as codes %v", coded, !coded)
		}
		for c := range 3 {
			for y := range padH {
				for from := range padW {
					for to := from + 1; to <= padW; to++ {
						got := make([]float32, to-from)
						f.x1(got, c, y, from)
						if !slices.Equal(got, x1.Plane(c)[y*padW:][from:to]) {
							t.Fatalf("x1: columns %d to %d of row %d of channel %d", from, to, y, c)
						}
						f.condition(got, c, y, from)
						if !slices.Equal(got, cond.Plane(c)[y*padW:][from:to]) {
							t.Fatalf("condition: columns %d to %d of row %d of channel %d", from, to, y, c)
						}
					}
				}
			}
		}
	}
}

// A restoration is the same, byte for byte, where the canvas holds x1 and the
// condition and where it has a few rows of them made again.
func TestSameWithFewRows(t *testing.T) {
	const h, w = 18, 21 // padded
	devices := []string{"cpu"}
	if os.Getenv("I2SB_TEST_GPU") != "" {
		devices = append(devices, "gpu")
	}
	for _, ot := range []bool{false, true} {
		header := weights.Header{
			Network: weights.Network{ImageSize: 32, InChannels: 6, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1,1",
				NumHeads: 4, NumHeadChannels: 16, NumHeadsUpsample: -1, UseScaleShiftNorm: true},
			Bridge: weights.Bridge{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1, OTODE: ot, CondX1: true, AddX1Noise: !ot},
			Tasks:  []weights.Task{{Name: "jpeg"}, {Name: "inpaint"}},
		}
		sampler := "dbim3"
		if ot {
			sampler = "heun"
		}
		for _, device := range devices {
			m, err := OpenWeights(t.Context(), header, optest.RandomNetwork(header.Network), WithDevice(device))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			for _, how := range []string{"tiles", "mask", "mask, tiles", "condition, tiles, no codes"} {
				t.Run(fmt.Sprintf("%s %s %s", device, sampler, how), func(t *testing.T) {
					opts := []Option{WithSampler(sampler), WithSteps(5), WithSeed(5), WithTile(-1), WithTask("jpeg")}
					x1 := degraded(h, w, true)
					switch how {
					case "mask, tiles":
						opts = append(opts, WithTask("inpaint"), WithMask(holes(h, w)), WithTile(16))
					case "mask":
						opts = append(opts, WithTask("inpaint"), WithMask(holes(h, w)))
					case "tiles":
						opts = append(opts, WithTile(16))
					case "condition, tiles, no codes":
						x1 = degraded(h, w, false)
						opts = append(opts, WithCondition(degraded(h, w, true)), WithTile(16))
					}
					var first *bridge.Image
					for _, lines := range []int{0, 5} {
						k, err := m.newWalk(apply(opts), w, h)
						if err != nil {
							t.Fatal(err)
						}
						spec := k.spec()
						spec.Lines = lines
						y, err := k.run(t.Context(), spec, x1)
						if err != nil {
							t.Fatal(err)
						}
						if first == nil {
							first = y
						} else if !slices.Equal(first.Pix, y.Pix) {
							t.Errorf("%d rows: not the same", lines)
						}
					}
				})
			}
		}
	}
}
