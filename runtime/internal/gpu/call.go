package gpu

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
)

// space is a kind of device memory.
type space uint8

const (
	arena   space = iota // activations, in pages
	scratch              // what an operator needs while it runs; planar input and output
	tables               // constants of a program
	turned               // weights of one convolution, for its way back
	lesson               // what a batch should give, and its loss
	weight               // of the network, in chunks; then what is learnt with them, in the order of device.Tensor
)

// operand is a piece of device memory, in bytes.
type operand struct {
	space    space
	at, size int64
}

// args are a call's uniforms and operands by the names that its shader gives
// them.
type (
	params   map[string]any // int or float32
	operands map[string]operand
)

// call is a dispatch before it has a pipeline and memory.
type call struct {
	op      plan.Op // nil for input and output
	file    string
	consts  shaders.Constants
	params  params
	in      operands
	x, y, z int
	flops   int64 // that are done, not those of the untransformed convolution
	part    int   // how much of the activations it touches,
	of      int   // of how much; 0: all
	copied  operand
	copyOf  operand // a copy, if its size is not 0
}

// label names the call for errors and profiles.
func (c *call) label() string {
	s := c.file
	if c.op != nil {
		s = c.op.Name() + ": " + s
	}
	return s
}

// variant is the file and its constants as one text.
func variant(file string, c shaders.Constants) string {
	names := make([]string, 0, len(c))
	for n, v := range c {
		if v != 0 {
			names = append(names, fmt.Sprintf("%s=%d", n, v))
		}
	}
	sort.Strings(names)
	return file + " " + strings.Join(names, " ")
}

// bytes is how many bytes of operands a call can touch: each operand once.
func (c *call) bytes() (n int64) {
	for _, o := range c.in {
		if o.space == arena && c.of > 0 {
			o.size = o.size * int64(c.part) / int64(c.of)
		}
		n += o.size
	}
	return n + 2*c.copyOf.size
}

// encode writes the uniforms in the order of the shader.
func encode(k *shaders.Kernel, p params) ([]byte, error) {
	b := make([]byte, 0, 4*len(k.Params))
	for _, q := range k.Params {
		switch v := p[q.Name].(type) {
		case int:
			if q.Float || v < 0 || v > math.MaxUint32 {
				return nil, fmt.Errorf("gpu: uniform %s cannot be %d", q.Name, v)
			}
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		case float32:
			if !q.Float {
				return nil, fmt.Errorf("gpu: uniform %s is no float", q.Name)
			}
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		default:
			return nil, fmt.Errorf("gpu: uniform %s has no value", q.Name)
		}
	}
	if len(p) != len(k.Params) {
		return nil, fmt.Errorf("gpu: %d uniforms are given, the kernel has %d", len(p), len(k.Params))
	}
	return b, nil
}
