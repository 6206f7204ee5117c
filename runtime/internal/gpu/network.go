package gpu

import (
	"context"
	"sync"
	"unsafe"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// network holds a network's weights on the device. The plans that are compiled
// of it have the same parameters in the same order.
type network struct {
	*gpu
	owned
	names  []string
	params []stored
	chunks []driver.Buffer
	once   sync.Once
}

// Load implements device.Device; see upload.go.
func (g *gpu) Load(ctx context.Context, p *plan.Plan, src weights.Source) (device.Network, error) {
	n := &network{gpu: g}
	var sizes []int64
	n.params, sizes = g.store(p)
	err := n.load(ctx, p, src, sizes)
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *network) Close() error {
	n.once.Do(n.release)
	return nil
}

// place finds a weight's memory.
func (n *network) place(o operand) driver.Range {
	chunk := chunkOf(n.limits)
	return driver.Range{Buffer: n.chunks[o.at/chunk], Offset: o.at % chunk, Size: o.size}
}

// bytesOf sees floats as bytes, as the device does.
func bytesOf(v []float32) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
}
