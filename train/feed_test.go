package train

import (
	"math"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/train/recipe"
)

func newDrawer(t *testing.T, change func(*recipe.Recipe)) *drawer {
	t.Helper()
	r := short(photos(t, 3))
	if change != nil {
		change(&r)
	}
	if err := r.Complete(nil); err != nil {
		t.Fatal(err)
	}
	items, err := data.Photos(r.Data.Photos, func(string, error) {})
	if err != nil {
		t.Fatal(err)
	}
	m, err := data.NewMixture(r.Degradations)
	if err != nil {
		t.Fatal(err)
	}
	s, err := schedule(&r)
	if err != nil {
		t.Fatal(err)
	}
	set := data.NewSet(items, data.Options{Channels: 3, Area: 0.5, Flip: true, Cache: 1 << 20, Mixture: m, AddNoise: r.Bridge.AddX1Noise, Bad: func(name string, err error) { t.Error(name, err) }})
	return &drawer{recipe: &r, set: set, crops: r.Crops, schedule: s}
}

// TestFeedKeepsOrder: data that is drawn ahead by several goroutines is that of
// each position, in order.
func TestFeedKeepsOrder(t *testing.T) {
	d := newDrawer(t, nil)
	queue := feed(t.Context(), d, 5, 3)
	shapes := map[int]int{}
	for p := range 60 {
		got := <-<-queue
		want, err := d.at(uint64(5 + p))
		if err != nil || got.err != nil {
			t.Fatal(err, got.err)
		}
		shapes[len(want.batches[0])]++
		if !slices.EqualFunc(got.batches[0], want.batches[0], equal) {
			t.Fatalf("position %d is another's", 5+p)
		}
	}
	// 60 % of two crops of 8×8, 40 % of one of 16×16.
	if shapes[2] < 24 || shapes[2] > 48 || shapes[1]+shapes[2] != 60 {
		t.Errorf("shapes %v", shapes)
	}
}

func equal(a, b runtime.Example) bool {
	return slices.Equal(a.X0.Pix, b.X0.Pix) && slices.Equal(a.X1.Pix, b.X1.Pix) && a.Index == b.Index && a.Weight == b.Weight && noise(a) == noise(b)
}

func noise(e runtime.Example) uint64 {
	seed, _ := bridge.Seed(e.Noise)
	return seed
}

// TestTimesAndWeights counts where the network is asked, and what it weighs.
func TestTimesAndWeights(t *testing.T) {
	d := newDrawer(t, func(r *recipe.Recipe) {
		r.Crops = []recipe.Crop{{Size: 8, Batch: 50, Share: 1}}
		r.Degradations = degradations("inpaint-center")
		r.Bridge.AddX1Noise = true
	})
	near, n := 0, 0
	seeds := map[uint64]bool{}
	for p := range uint64(20) {
		g, err := d.at(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range g.batches[0] {
			if n++; e.Index >= 970 {
				near++
			}
			if want := d.schedule.StdFwd[e.Index] / d.schedule.StdFwd[999]; math.Abs(e.Weight-want) > 1e-12 {
				t.Fatalf("index %d weighs %g, want %g", e.Index, e.Weight, want)
			}
			if seeds[noise(e)] {
				t.Fatal("two examples have the same noise")
			}
			seeds[noise(e)] = true
			if e.Mask == nil || slices.Equal(e.Cond.Pix, e.X1.Pix) {
				t.Fatal("no mask, or no noise on x1")
			}
			for i, m := range e.Mask { // known pixels are known, the hole is noise
				if (m == 0) != (e.Cond.Pix[i] == e.X0.Pix[i]) {
					t.Fatalf("pixel %d of the condition", i)
				}
			}
		}
	}
	// 45 % and 3 % of the rest: 466 of 1000, with a deviation of 16.
	if near < 410 || near > 530 || n != 1000 {
		t.Errorf("%d of %d are near the end", near, n)
	}
	d.recipe.Times.Start = 0.8
	starts := 0
	for p := range uint64(20) {
		g, err := d.at(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range g.batches[0] {
			if e.Index == 1000 {
				starts++
				if e.Weight != 1 {
					t.Fatalf("the start weighs %g", e.Weight)
				}
			}
		}
	}
	if starts < 750 || starts > 850 { // a deviation of 13
		t.Errorf("%d of 1000 are x1 itself, and 800 are wanted", starts)
	}
	d.recipe.Loss = recipe.Loss{Sigma: 0, Mask: recipe.MaskNone}
	g, err := d.at(3)
	if err != nil {
		t.Fatal(err)
	}
	if e := g.batches[0][0]; e.Mask != nil || e.Weight != 1 {
		t.Errorf("mask %v, weight %g", e.Mask, e.Weight)
	}
}
