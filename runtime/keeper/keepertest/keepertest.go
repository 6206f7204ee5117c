// Package keepertest has the smallest network, for tests of programs that
// restore pictures.
package keepertest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	api "github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/weights"
)

// Pack makes a pack of the fixture checkpoint. It has the tasks jpeg, sr4x and
// inpaint.
func Pack(t testing.TB) []byte {
	t.Helper()
	b, err := MakePack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// MakePack is Pack for programs.
func MakePack() ([]byte, error) {
	_, here, _, _ := runtime.Caller(0)
	b, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../../weights/testdata/checkpoint.pt"))
	if err != nil {
		return nil, err
	}
	src, err := weights.OpenCheckpoint(bytes.NewReader(b), int64(len(b)), false)
	if err != nil {
		return nil, err
	}
	h := weights.Header{
		Name: "tiny",
		Network: weights.Network{ImageSize: 32, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1", AttentionResolutions: "32", NumHeads: 4,
			NumHeadChannels: 16, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true, InChannels: 3},
		Bridge: weights.Bridge{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1},
		Tasks:  []weights.Task{{Name: "jpeg", Steps: 2}, {Name: "sr4x"}, {Name: "inpaint"}},
	}
	var out bytes.Buffer
	err = weights.Write(&out, h, src, weights.WriteOptions{Encoding: weights.F32})
	return out.Bytes(), err
}

// Model is Pack, to be asked for as "tiny".
func Model(t testing.TB) keeper.Model {
	t.Helper()
	m, err := keeper.Read(t.Context(), "tiny", api.Bytes("tiny", Pack(t)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// PNG is a picture; others are made of other phases.
func PNG(w, h int, phase float64) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := func(f float64) uint8 { return uint8(128 + 100*math.Sin(f*float64(x)+phase)*math.Cos(float64(y)/f/20)) }
			m.SetNRGBA(x, y, color.NRGBA{v(0.1), v(0.23), v(0.31), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}
