package gpu

import (
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// stored is how a parameter lies on the device: matrices (see weight.wgsl) cut
// by output blocks into pieces that can be bound, vectors and tables as they
// are.
type stored struct {
	out, in, taps int // of a matrix; taps 0: a vector or table
	half          bool
	pieces        []piece
}

// piece holds blocks output blocks from o0 on.
type piece struct {
	o0, blocks int
	operand
}

// rows is the matrix's input channels with the padding that steps want.
func (s stored) rows() int { return (s.in + 15) / 16 * 16 }

// blocks is how many groups of four n channels take.
func blocks(n int) int { return (n + 3) / 4 }

// aligned rounds bytes up to what a binding's offset must be a multiple of.
func aligned(n int64) int64 { return (n + 255) &^ 255 }

// vec is the bytes of four channels.
func vec(half bool) int64 {
	if half {
		return 8
	}
	return 16
}

// store places every parameter of a plan in chunks of at most chunk bytes, of
// which a binding may have at most bind. It depends on the weights alone, so
// that all sizes of a network agree.
func store(p *plan.Plan, half bool, bind, chunk int64) (params []stored, chunks []int64) {
	params = make([]stored, len(p.Params))
	for _, op := range p.Ops {
		switch o := op.(type) {
		case *plan.Conv:
			params[o.W] = stored{out: p.Shape(o.Y).C, in: p.Channels(o.X), taps: o.Kernel * o.Kernel, half: half}
		case *plan.Linear:
			params[o.W] = stored{out: p.Shape(o.Y).C, in: p.Shape(o.X).C, taps: 1, half: half}
		}
	}
	place := func(bytes int64) operand {
		last := len(chunks) - 1
		if last < 0 || aligned(chunks[last])+bytes > chunk {
			chunks = append(chunks, 0)
			last++
		}
		at := aligned(chunks[last])
		chunks[last] = at + bytes
		return operand{weight, int64(last)*chunk + at, bytes}
	}
	for i := range params {
		s := &params[i]
		if s.taps == 0 {
			s.pieces = []piece{{operand: place(16 * int64(blocks(p.Params[i].Len())))}}
			continue
		}
		column := int64(s.rows()*s.taps) * vec(s.half)
		most := max(1, int(bind/column))
		for o0 := 0; o0 < blocks(s.out); o0 += most {
			n := min(most, blocks(s.out)-o0)
			s.pieces = append(s.pieces, piece{o0, n, place(int64(n) * column)})
		}
	}
	return params, chunks
}

// total sums bytes.
func total(sizes []int64) (n int64) {
	for _, s := range sizes {
		n += s
	}
	return n
}
