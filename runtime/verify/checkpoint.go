package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/weights"
)

// checkpoint judges an evaluation with the plain weights of a checkpoint,
// y_net, and with their moving average, y_ema. NAME.expected.safetensors is
// about NAME.pt and NAME.legacy.pt beside it, else about checkpoint.pt and
// checkpoint.legacy.pt; the second gives rows of its own, with the same names.
// One of them is enough.
func checkpoint(ctx context.Context, j *job) ([]Row, error) {
	if err := j.only(func(n string) bool {
		return n == "x" || n == "t" || n == "label" || n == "y_net" || n == "y_ema"
	}); err != nil {
		return nil, err
	}
	in, err := j.input()
	if err != nil {
		return nil, err
	}
	dir, base := filepath.Split(j.path)
	stem, _, _ := strings.Cut(base, ".")
	if !exists(dir+stem+".pt") && !exists(dir+stem+".legacy.pt") {
		stem = "checkpoint"
	}
	files := []string{stem + ".pt", stem + ".legacy.pt"}
	if there := slices.DeleteFunc(slices.Clone(files), func(f string) bool { return !exists(dir + f) }); len(there) > 0 {
		files = there
	}
	var rows []Row
	for _, name := range files {
		r, err := j.checkpointFile(ctx, dir+name, in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, r...)
	}
	return rows, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func (j *job) checkpointFile(ctx context.Context, path string, in device.Input) ([]Row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, name := range j.names() {
		if name != "y_net" && name != "y_ema" {
			continue
		}
		c, err := weights.OpenCheckpoint(f, info.Size(), name == "y_net")
		if err != nil {
			return nil, err
		}
		if name == "y_ema" && !c.EMA {
			return nil, errors.New("the checkpoint has no moving average")
		}
		row, err := j.output(ctx, name, c, in)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// output is the row of a network's output.
func (j *job) output(ctx context.Context, name string, src weights.Source, in device.Input) (Row, error) {
	want, err := j.read(name)
	if err != nil {
		return Row{}, err
	}
	e, err := load(ctx, j, src, in)
	if err != nil {
		return Row{}, err
	}
	defer e.close()
	got, err := e.run(ctx, e.plan)
	if err != nil {
		return Row{}, err
	}
	return e.row(name, want, got)
}
