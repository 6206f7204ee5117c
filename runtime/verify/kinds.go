package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/i2sb-go/i2sb/weights"
)

// kind is one sort of safetensors fixture. Files that hold something else are
// told apart by their first bytes, in job.run.
type kind struct {
	name string
	is   func(*fixture) bool
	run  func(context.Context, *job) ([]Row, error)
}

// kinds are tried in this order. Each is recognised by what no other has, so
// that a fixture with a tensor missing is still told what it lacks.
var kinds = []kind{
	{"training", isTraining, training},
	{"sample", func(f *fixture) bool { return f.any("xs", "pred_x0") || f.has("x1", "steps") }, sample},
	{"checkpoint", func(f *fixture) bool { return f.any("y_net", "y_ema") }, checkpoint},
	{"unet", func(f *fixture) bool { return f.has("x", "t") || f.has("x", "y") || f.has("t", "y") }, network},
	{"operators", func(f *fixture) bool { return f.any("clean", "clean_u8") }, operators},
	{"schedule", isSchedule, schedule},
}

func (j *job) run(ctx context.Context) ([]Row, error) {
	head, size, err := firstBytes(j.path)
	if err != nil {
		return nil, err
	}
	switch {
	case weights.IsPack(head):
		return pack(ctx, j)
	case weights.IsSafetensors(head, size):
	case strings.HasPrefix(strings.TrimLeft(string(head), " \t\r\n"), "{"):
		return shapes(j)
	case len(head) < 10 || head[8] != '{':
		return nil, errUnknown
	}
	if j.fixture, err = openFixture(j.path); err != nil {
		return nil, err
	}
	for _, k := range kinds {
		if !k.is(j.fixture) {
			continue
		}
		rows, err := k.run(ctx, j)
		if err != nil {
			return nil, fmt.Errorf("%s fixture: %w", k.name, err)
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("%s fixture: it holds no reference tensor", k.name)
		}
		return rows, nil
	}
	return nil, errUnknown
}

var errUnknown = errors.New("this is no fixture that verify knows (schedule, unet, sample, operators, checkpoint, train, shapes)")
