package export

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/i2sb-go/i2sb/runtime/bench"
	"github.com/i2sb-go/i2sb/weights"
)

// field is one field of a decoded message.
type field struct {
	number protowire.Number
	bytes  []byte
	value  uint64
}

func decode(t *testing.T, b []byte) (fs []field) {
	t.Helper()
	for len(b) > 0 {
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal("malformed tag")
		}
		b = b[n:]
		f := field{number: number}
		switch typ {
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			_, n = protowire.ConsumeFixed32(b)
		default:
			t.Fatalf("field %d has the type %d", number, typ)
		}
		if n < 0 {
			t.Fatalf("field %d is malformed", number)
		}
		b = b[n:]
		fs = append(fs, f)
	}
	return fs
}

func all(fs []field, number protowire.Number) (b [][]byte) {
	for _, f := range fs {
		if f.number == number {
			b = append(b, f.bytes)
		}
	}
	return b
}

func networks() map[string]weights.Network {
	base := weights.Network{ImageSize: 32, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1,2", AttentionResolutions: "16",
		NumHeads: 4, NumHeadChannels: 16, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true}
	plain := base
	plain.UseScaleShiftNorm, plain.ResblockUpdown, plain.UseNewAttentionOrder = false, false, true
	return map[string]weights.Network{"base": base, "plain": plain}
}

// Every input of a node is made before it, everything made is used, and every
// initializer lies where the weights file has that tensor.
func TestGraph(t *testing.T) {
	for name, net := range networks() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Write(dir, bench.Options{Network: net, W: 24, H: 16}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(dir, graphFile))
			if err != nil {
				t.Fatal(err)
			}
			graph := decode(t, all(decode(t, b), 7)[0])
			made, used := map[string]bool{}, map[string]bool{"y": true}
			for _, v := range all(graph, 11) {
				made[string(all(decode(t, v), 1)[0])] = true
			}
			for _, init := range all(graph, 5) {
				made[checkInitializer(t, dir, decode(t, init))] = true
			}
			for _, n := range all(graph, 1) {
				node := decode(t, n)
				for _, in := range all(node, 1) {
					if used[string(in)] = true; len(in) > 0 && !made[string(in)] {
						t.Errorf("%s reads %q, which is not there yet", all(node, 4)[0], in)
					}
				}
				for _, out := range all(node, 2) {
					if made[string(out)] {
						t.Errorf("%q is made twice", out)
					}
					made[string(out)] = true
				}
			}
			for v := range made {
				if !used[v] {
					t.Errorf("nothing reads %q", v)
				}
			}
		})
	}
}

// checkInitializer compares an initializer's bytes with the weights file as
// this program reads it, and returns its name.
func checkInitializer(t *testing.T, dir string, init []field) string {
	t.Helper()
	name := string(all(init, 8)[0])
	n := 1
	for _, f := range init {
		if f.number == 1 {
			n *= int(f.value)
		}
	}
	place := map[string]string{}
	for _, e := range all(init, 13) {
		entry := decode(t, e)
		place[string(all(entry, 1)[0])] = string(all(entry, 2)[0])
	}
	if len(place) == 0 {
		return name
	}
	b, err := os.ReadFile(filepath.Join(dir, place["location"]))
	if err != nil {
		t.Fatal(err)
	}
	at, _ := strconv.Atoi(place["offset"])
	if length, _ := strconv.Atoi(place["length"]); length != 4*n || at+length > len(b) {
		t.Fatalf("%s: %d bytes from %d on for %d elements of a file of %d", name, length, at, n, len(b))
	}
	f, err := os.Open(filepath.Join(dir, weightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := weights.OpenSafetensors(f, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, n)
	if err := s.ReadF32(name, want); err != nil {
		t.Fatal(err)
	}
	for i, v := range want {
		if got := binary.LittleEndian.Uint32(b[at+4*i:]); got != math.Float32bits(v) {
			t.Fatalf("%s: element %d is %g in the graph", name, i, math.Float32frombits(got))
		}
	}
	return name
}

func TestClassesAreRefused(t *testing.T) {
	n := networks()["base"]
	n.ClassCond, n.NumClasses = true, 10
	if err := Write(t.TempDir(), bench.Options{Network: n, W: 16, H: 16}); err == nil {
		t.Error("a network with class labels was exported without them")
	}
}
