package train

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/train/recipe"
)

// drawer makes the data of a step. What it makes follows from the recipe's seed
// and the position alone, so that any number of goroutines may draw at once, and
// a training that goes on at a position sees what it would have seen.
type drawer struct {
	recipe   *recipe.Recipe
	set      *data.Set
	crops    []recipe.Crop
	schedule *bridge.Schedule
}

// group is the data of one step of the optimiser.
type group struct {
	batches [][]runtime.Example
	images  int
}

// at draws the data of a position.
func (d *drawer) at(position uint64) (*group, error) {
	r := rand.New(bridge.NewStream(d.recipe.Seed, position))
	g := &group{}
	for range d.recipe.Optimizer.Accumulate {
		c := d.crop(r.Float64())
		batch := make([]runtime.Example, c.Batch)
		for i := range batch {
			var err error
			if batch[i], err = d.example(r.Uint64(), c.Size); err != nil {
				return nil, err
			}
		}
		g.batches = append(g.batches, batch)
		g.images += c.Batch
	}
	return g, nil
}

// crop is the size that a uniform number chooses.
func (d *drawer) crop(u float64) recipe.Crop {
	total := 0.0
	for _, c := range d.crops {
		total += c.Share
	}
	u *= total
	for _, c := range d.crops[:len(d.crops)-1] {
		if u < c.Share {
			return c
		}
		u -= c.Share
	}
	return d.crops[len(d.crops)-1]
}

func (d *drawer) example(seed uint64, size int) (runtime.Example, error) {
	r := rand.New(bridge.NewStream(seed, 0))
	noise := bridge.NewNoise(r.Uint64())
	n := d.index(r)
	q, err := d.set.Draw(r, noise, size)
	if err != nil {
		return runtime.Example{}, err
	}
	sigmas := d.schedule.StdFwd
	e := runtime.Example{X0: q.X0, X1: q.X1, Cond: q.Cond, Index: n, Noise: noise, Class: q.Class,
		Weight: math.Pow(sigmas[min(n, len(sigmas)-1)]/sigmas[len(sigmas)-1], d.recipe.Loss.Sigma)}
	if d.recipe.Loss.Mask != recipe.MaskNone {
		e.Mask = q.Mask
	}
	return e, nil
}

// index draws where on the bridge the network is asked: N is x1 itself.
func (d *drawer) index(r *rand.Rand) int {
	n, t := d.schedule.N(), d.recipe.Times
	if t.Start > 0 && r.Float64() < t.Start {
		return n
	}
	from := 0
	if r.Float64() < t.Near {
		from = int(t.From * float64(n))
	}
	return from + r.IntN(n-from)
}

// drawn is what a worker comes back with.
type drawn struct {
	*group
	err error
}

// feed draws ahead, some positions at once, and gives them in order. It ends
// with the context.
func feed(ctx context.Context, d *drawer, position uint64, ahead int) <-chan chan drawn {
	queue := make(chan chan drawn, ahead)
	go func() {
		for p := position; ; p++ {
			c := make(chan drawn, 1)
			select {
			case queue <- c:
			case <-ctx.Done():
				return
			}
			go func() {
				g, err := d.at(p)
				c <- drawn{g, err}
			}()
		}
	}()
	return queue
}
