package gpu

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/shaders"
)

// pipelines are a device's compiled shaders, each made when it is first asked
// for.
type pipelines struct {
	mu   sync.Mutex
	made map[string]*pipeline
}

type pipeline struct {
	once   sync.Once
	kernel *shaders.Kernel
	driver driver.Pipeline
	err    error
}

// pipeline compiles a variant of a shader, once.
func (g *gpu) pipeline(ctx context.Context, file string, c shaders.Constants) (*pipeline, error) {
	key := variant(file, c)
	g.pipelines.mu.Lock()
	if g.pipelines.made == nil {
		g.pipelines.made = map[string]*pipeline{}
	}
	p := g.pipelines.made[key]
	if p == nil {
		p = &pipeline{}
		g.pipelines.made[key] = p
	}
	g.pipelines.mu.Unlock()
	p.once.Do(func() {
		if p.kernel, p.err = shaders.Make(file, c); p.err != nil {
			return
		}
		var layout []driver.Binding
		for _, b := range p.kernel.Bindings {
			kind := driver.ReadOnly
			if b.Write {
				kind = driver.ReadWrite
			}
			layout = append(layout, kind)
		}
		p.driver, p.err = g.dev.Pipeline(context.WithoutCancel(ctx), key, p.kernel.Text, append(layout, driver.Params))
	})
	if p.err != nil { // there may be memory for it the next time
		g.pipelines.mu.Lock()
		if g.pipelines.made[key] == p {
			delete(g.pipelines.made, key)
		}
		g.pipelines.mu.Unlock()
	}
	return p, p.err
}

// compile makes the pipelines of all calls, several at a time.
func (g *gpu) compile(ctx context.Context, calls []call) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	seen := map[string]bool{}
	for i := range calls {
		c := &calls[i]
		if key := variant(c.file, c.consts); c.copyOf.size > 0 || seen[key] {
			continue
		} else {
			seen[key] = true
		}
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := g.pipeline(ctx, c.file, c.consts); err != nil {
				return fmt.Errorf("%s: %w", c.label(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (p *pipelines) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.made {
		if q.driver != nil {
			q.driver.Release()
		}
	}
	p.made = nil
}
