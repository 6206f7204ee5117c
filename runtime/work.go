package runtime

import (
	"context"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
)

// watched is a context that reports how far the evaluation of a step's tile
// is, from how often the executor has asked it.
func (k *walk) watched(ctx context.Context, p device.Program, step, tile int) context.Context {
	if k.o.onWork == nil {
		return ctx
	}
	w := Work{Step: step, Steps: len(k.table.Steps), Tile: tile, Tiles: len(k.windows)}
	all := 1
	if p, ok := p.(device.Paced); ok {
		all = p.Pace()
	}
	before, of := float64(step*w.Tiles+tile), float64(w.Steps*w.Tiles)
	return &asked{ctx, func(times int) {
		w.Fraction = (before + min(1, float64(times)/float64(all))) / of
		k.o.onWork(w)
	}, 0}
}

// asked counts how often its error is asked for.
type asked struct {
	context.Context
	each  func(times int)
	times int
}

func (a *asked) Err() error {
	a.each(a.times)
	a.times++
	return a.Context.Err()
}
