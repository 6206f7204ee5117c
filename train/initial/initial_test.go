package initial

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/weights"
)

var ctx = context.Background()

func tiny(change func(*weights.Network)) weights.Network {
	n := weights.Network{ImageSize: 256, InChannels: 3, OutChannels: 3, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1,2", NumHeads: 1, NumHeadChannels: 32,
		NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true}
	if change != nil {
		change(&n)
	}
	return n
}

func read(t *testing.T, s weights.Source, name string) []float32 {
	t.Helper()
	for _, info := range s.Tensors() {
		if info.Name == name {
			v := make([]float32, info.Len())
			if err := s.ReadF32(name, v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no tensor %s", name)
	return nil
}

// TestFresh: the distributions of an untrained network.
func TestFresh(t *testing.T) {
	n := tiny(func(n *weights.Network) { n.ClassCond, n.NumClasses = true, 50 })
	s, err := Fresh(n, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := runtime.CheckWeights(n, s); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float32{"out.0.weight": 1, "out.0.bias": 0, "out.2.weight": 0, "out.2.bias": 0, "middle_block.1.proj_out.weight": 0, "middle_block.1.norm.weight": 1,
		"input_blocks.1.0.out_layers.3.weight": 0, "input_blocks.1.0.out_layers.3.bias": 0, "input_blocks.1.0.in_layers.0.weight": 1} {
		if v := read(t, s, name); slices.ContainsFunc(v, func(x float32) bool { return x != want }) {
			t.Errorf("%s is not %v", name, want)
		}
	}
	for name, bound := range map[string]float64{"input_blocks.1.0.in_layers.2.weight": 1 / math.Sqrt(32*9), "time_embed.0.weight": 1 / math.Sqrt(32), "time_embed.0.bias": 1 / math.Sqrt(32),
		"input_blocks.0.0.weight": 1 / math.Sqrt(27), "input_blocks.0.0.bias": 1 / math.Sqrt(27)} {
		v := read(t, s, name)
		square, most := 0.0, 0.0
		for _, x := range v {
			square += float64(x) * float64(x) / float64(len(v))
			most = max(most, math.Abs(float64(x)))
		}
		if most > bound || most < 0.8*bound || math.Abs(math.Sqrt(3*square)/bound-1) > 0.3 {
			t.Errorf("%s: up to %g, deviation %g, bound %g", name, most, math.Sqrt(square), bound)
		}
	}
	again, _ := Fresh(n, 1)
	other, _ := Fresh(n, 2)
	a, b, c := read(t, s, "time_embed.0.weight"), read(t, again, "time_embed.0.weight"), read(t, other, "time_embed.0.weight")
	if !slices.Equal(a, b) || slices.Equal(a, c) || slices.Equal(a[:128], read(t, s, "time_embed.2.weight")[:128]) {
		t.Error("weights do not follow from the seed and the name")
	}
	if err := s.ReadF32("none", nil); err == nil {
		t.Error("no error")
	}
}

// lively is a network none of whose weights are zero.
func lively(t *testing.T, n weights.Network) weights.Source {
	t.Helper()
	s, err := Fresh(n, 3)
	if err != nil {
		t.Fatal(err)
	}
	var data [][]float32
	for i, info := range s.Tensors() {
		v := make([]float32, info.Len())
		if err := s.ReadF32(info.Name, v); err != nil {
			t.Fatal(err)
		}
		for k := range v {
			v[k] += float32(math.Sin(float64(k*7+i))) * 0.03
		}
		data = append(data, v)
	}
	m, err := weights.NewMemory(s.Tensors(), data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCondition: a network that gets a condition begins as what it was.
func TestCondition(t *testing.T) {
	plain, cond := tiny(nil), tiny(func(n *weights.Network) { n.InChannels = 6 })
	src := lively(t, plain)
	fitted, notes, err := Adapt(src, cond)
	if err != nil || len(notes) != 1 || notes[0] != "3 new input channels begin as zero" {
		t.Fatalf("%q, %v", notes, err)
	}
	x := bridge.NewImage(3, 16, 16)
	for i := range x.Pix {
		x.Pix[i] = float32(math.Sin(float64(i)))
	}
	var results []*bridge.Image
	for i, s := range []weights.Source{src, fitted} {
		h := weights.Header{Network: []weights.Network{plain, cond}[i], Bridge: weights.Bridge{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1, CondX1: i == 1}}
		m, err := runtime.OpenWeights(ctx, h, s, runtime.WithDevice("cpu"))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		y, err := m.RestoreTensor(ctx, x, runtime.WithSteps(2))
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, y)
	}
	for i, v := range results[0].Pix {
		if math.Abs(float64(v-results[1].Pix[i])) > 1e-5 {
			t.Fatalf("pixel %d: %v without, %v with a condition", i, v, results[1].Pix[i])
		}
	}
	back, notes, err := Adapt(fitted, plain)
	if err != nil || len(notes) != 1 || !slices.Equal(read(t, back, "input_blocks.0.0.weight"), read(t, src, "input_blocks.0.0.weight")) {
		t.Errorf("and back: %q, %v", notes, err)
	}
}

// TestHeads: six outputs become the first three; labels come and go.
func TestHeads(t *testing.T) {
	adm := tiny(func(n *weights.Network) { n.OutChannels, n.ClassCond, n.NumClasses = 6, true, 5 })
	src := lively(t, adm)
	fitted, notes, err := Adapt(src, tiny(nil))
	if err != nil || !strings.Contains(strings.Join(notes, ", "), "the embedding of labels is left out") {
		t.Fatalf("%q, %v", notes, err)
	}
	if err := runtime.CheckWeights(tiny(nil), fitted); err != nil {
		t.Error(err)
	}
	if a, b := read(t, fitted, "out.2.weight"), read(t, src, "out.2.weight"); !slices.Equal(a, b[:len(a)]) || len(b) != 2*len(a) {
		t.Errorf("%d of %d weights of the head", len(a), len(b))
	}
	grey, notes, err := Adapt(lively(t, tiny(nil)), tiny(func(n *weights.Network) { n.InChannels, n.OutChannels = 1, 1 }))
	if err != nil || len(notes) != 2 || len(read(t, grey, "out.2.bias")) != 1 {
		t.Errorf("one channel: %q, %v", notes, err)
	}
	labelled, notes, err := Adapt(fitted, tiny(func(n *weights.Network) { n.ClassCond, n.NumClasses = true, 4 }))
	if err != nil || len(notes) != 1 || slices.ContainsFunc(read(t, labelled, "label_emb.weight"), func(v float32) bool { return v != 0 }) {
		t.Errorf("labels: %q, %v", notes, err)
	}
}

func TestOtherNetworks(t *testing.T) {
	src := lively(t, tiny(nil))
	for name, n := range map[string]weights.Network{
		"wider":  tiny(func(n *weights.Network) { n.NumChannels = 64 }),
		"deeper": tiny(func(n *weights.Network) { n.NumResBlocks = 2 }),
		"lower":  tiny(func(n *weights.Network) { n.ChannelMult = "1" }),
		"more":   tiny(func(n *weights.Network) { n.OutChannels = 4 }),
	} {
		if _, _, err := Adapt(src, n); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOpen tells the kinds of files apart.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	n := tiny(nil)
	var b bytes.Buffer
	if err := weights.Write(&b, weights.Header{Network: n, Name: "p"}, lively(t, n), weights.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	pack := filepath.Join(dir, "a.i2sb")
	if err := os.WriteFile(pack, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	o, err := Open(pack, false, "")
	if err != nil || o.Header.Name != "p" {
		t.Fatalf("%+v, %v", o, err)
	}
	defer o.Close()
	pt, err := Open("../../weights/testdata/checkpoint.pt", false, "../../cmd/i2sb-run/testdata/options.json")
	if err != nil || pt.Header.Network.NumChannels == 0 {
		t.Fatalf("%+v, %v", pt, err)
	}
	pt.Close()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("neither this nor that"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, dir, filepath.Join(dir, "none")} {
		if _, err := Open(path, false, ""); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
	if _, err := Open("../../weights/testdata/checkpoint.pt", false, text); err == nil || !strings.Contains(err.Error(), "text") {
		t.Errorf("bad options: %v", err)
	}
}

// TestOpenSafetensors: the length of a header, with which the file begins, may
// begin as a pickle or a zip does.
func TestOpenSafetensors(t *testing.T) {
	for _, length := range []int{0x4b50, 0x80, 0x100} {
		header := `{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
		b := binary.LittleEndian.AppendUint64(nil, uint64(length))
		b = append(b, header+strings.Repeat(" ", length-len(header))...)
		path := filepath.Join(t.TempDir(), "a.safetensors")
		if err := os.WriteFile(path, append(b, make([]byte, 8)...), 0o666); err != nil {
			t.Fatal(err)
		}
		o, err := Open(path, false, "")
		if err != nil {
			t.Errorf("a header of %#x bytes: %v", length, err)
			continue
		}
		o.Close()
		if err := os.WriteFile(path, b[:length/2], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, false, ""); err == nil {
			t.Errorf("a header of %#x bytes, cut off: no error", length)
		}
	}
}
