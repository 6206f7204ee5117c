package verify

import (
	"context"
	"errors"

	"github.com/i2sb-go/i2sb/runtime"
)

// pack checks the checksums of a weight pack: one row for every tensor, an
// error of 1 for a damaged one.
func pack(ctx context.Context, j *job) ([]Row, error) {
	p, closer, err := runtime.File(j.path).OpenPack(ctx)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	defer p.Close()
	var rows []Row
	for _, t := range p.Tensors() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err := p.Scales(t.Name)
		if err == nil {
			err = p.Chunks(t.Name, func([]byte) error { return nil })
		}
		rows = append(rows, same(t.Name, err == nil))
	}
	if len(rows) == 0 {
		return nil, errors.New("this pack holds no tensor")
	}
	return rows, nil
}
