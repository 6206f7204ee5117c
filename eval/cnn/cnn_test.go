package cnn

import (
	"bufio"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/weights"
)

// uniform is testdata/golden.py's: -0.5…0.5 by name and index.
func uniform(name string, i int) float64 {
	seed := uint32(0)
	for k, b := range []byte(name) {
		seed += uint32(k+1) * uint32(b)
	}
	return hash(seed, i)
}

func hash(seed uint32, i int) float64 {
	x := (uint32(i) + seed) * 2654435761
	x ^= x >> 15
	x *= 2246822519
	x ^= x >> 13
	return float64(x>>8)/(1<<24) - 0.5
}

// formula is a source whose tensors follow from their names.
type formula []weights.Info

func (f formula) Tensors() []weights.Info { return f }
func (f formula) Close() error            { return nil }
func (f formula) ReadF32(name string, dst []float32) error {
	seed := uint32(0)
	for k, b := range []byte(name) {
		seed += uint32(k+1) * uint32(b)
	}
	base, spread := 0.0, 0.4
	shape := f[slices.IndexFunc(f, func(i weights.Info) bool { return i.Name == name })].Shape
	switch {
	case len(shape) > 1:
		fan := 1
		for _, d := range shape[1:] {
			fan *= d
		}
		spread = math.Sqrt(24 / float64(fan))
	case strings.HasSuffix(name, ".running_mean"):
		spread = 0.2
	case strings.HasSuffix(name, ".running_var"):
		base, spread = 1, 0.5
	case strings.HasSuffix(name, ".weight"):
		base = 1
	}
	for i := range dst {
		dst[i] = float32(base + spread*hash(seed, i))
	}
	return nil
}

// golden are PyTorch's numbers, and the tensors that its networks have.
func golden(t *testing.T) (map[string]map[int]float64, formula) {
	var tensors formula
	f, err := os.Open("testdata/golden.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]map[int]float64{}
	for s := bufio.NewScanner(f); s.Scan(); {
		c := strings.Split(s.Text(), "\t")
		if c[0] == "tensor" {
			info := weights.Info{Name: c[1]}
			for _, d := range strings.Split(c[2], ",") {
				n, _ := strconv.Atoi(d)
				info.Shape = append(info.Shape, n)
			}
			tensors = append(tensors, info)
			continue
		}
		i, err := strconv.Atoi(c[1])
		if err != nil {
			continue
		}
		if all[c[0]] == nil {
			all[c[0]] = map[int]float64{}
		}
		all[c[0]][i], _ = strconv.ParseFloat(c[2], 64)
	}
	return all, tensors
}

func picture(h, w int) *bridge.Image {
	x := bridge.NewImage(3, h, w)
	for i := range x.Pix {
		x.Pix[i] = float32(2 * uniform("picture", i))
	}
	return x
}

func compare(t *testing.T, what string, got []float32, want map[int]float64) {
	t.Helper()
	if len(want) < 20 {
		t.Fatalf("%s: %d numbers", what, len(want))
	}
	most := 0.0
	for _, v := range want {
		most = max(most, math.Abs(v))
	}
	for i, v := range want {
		if math.Abs(float64(got[i])-v) > 1e-4*most {
			t.Errorf("%s: %v at %d, want %v", what, got[i], i, v)
		}
	}
}

func TestAgainstPyTorch(t *testing.T) {
	want, tensors := golden(t)
	for _, c := range []struct {
		name string
		open func(weights.Source) (*Network, error)
		x    *bridge.Image
	}{{"resnet", OpenResNet50, picture(80, 96)}, {"inception", OpenInception, picture(107, 91)}} {
		n, err := c.open(tensors)
		if err != nil {
			t.Fatal(err)
		}
		got, err := n.Run(c.x)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, c.name, got, want[c.name])
		if _, err := n.Run(bridge.NewImage(3, 60, 80)); err == nil {
			t.Errorf("%s of a small picture: no error", c.name)
		}
	}
}

func TestPreparation(t *testing.T) {
	want, _ := golden(t)
	x := picture(20, 301)
	compare(t, "for resnet", ForResNet(x).Pix, want["for resnet"])
	compare(t, "for inception", ForInception(x).Pix, want["for inception"])
}

// TestOtherWeights: what does not fit is named.
func TestOtherWeights(t *testing.T) {
	_, tensors := golden(t)
	without := slices.DeleteFunc(slices.Clone(tensors), func(i weights.Info) bool { return i.Name == "layer2.0.downsample.1.bias" })
	if _, err := OpenResNet50(without); err == nil || !strings.Contains(err.Error(), "layer2.0.downsample.1.bias") {
		t.Errorf("a tensor is missing: %v", err)
	}
	other := slices.Clone(tensors)
	k := slices.IndexFunc(other, func(i weights.Info) bool { return i.Name == "Mixed_5d.branch1x1.conv.weight" })
	other[k].Shape = []int{64, 288, 3, 3}
	if _, err := OpenInception(other); err == nil || !strings.Contains(err.Error(), "Mixed_5d.branch1x1.conv.weight is [64 288 3 3]") {
		t.Errorf("another shape: %v", err)
	}
}

func TestRank(t *testing.T) {
	scores := []float32{1, 5, 3, 4}
	if Best(scores) != 1 || Rank(scores, 1) != 0 || Rank(scores, 2) != 2 || Rank(scores, 0) != 3 {
		t.Error("the order of classes")
	}
}
