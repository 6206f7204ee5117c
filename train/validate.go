package train

import (
	"context"
	"path/filepath"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/watch"
	"github.com/i2sb-go/i2sb/weights"
)

// validate measures the moving average, and writes rows, plots and grids.
func (t *training) validate(ctx context.Context) ([]watch.Row, error) {
	h := weights.Header{Network: t.recipe.Network, Bridge: t.recipe.Bridge}
	m, err := runtime.OpenWeights(ctx, h, t.trainer.Source(runtime.Averages), runtime.WithDevice(t.opt.Device), runtime.WithThreads(t.opt.Threads))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	rows, err := t.valid.Measure(ctx, m, func(task string, pictures [][]*bridge.Image) error {
		if task == "" {
			task = "pairs"
		}
		t.tables.tell(watch.WriteGrid(filepath.Join(t.opt.Out, "grid-"+task+".png"), pictures), t.opt.Say)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.metrics = figures(rows)
	t.tables.validation(t.state.Steps, rows, t.opt.Say)
	return rows, nil
}
