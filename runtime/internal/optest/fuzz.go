package optest

import (
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// Fuzzed is the shape of a fuzzed case: any numbers will do, they are brought into range.
type Fuzzed struct {
	Kind         uint8  // of operator
	N, C, C1     uint8  // samples; channels, and of a second tensor
	H, W         uint8  // of the input
	Out          uint16 // channels, or heads·16+depth of attention
	Kernel       uint8
	Read, Change uint8 // what is done before, and what is added after
}

// Limits that keep ref's part of a case to some milliseconds.
const (
	mostPixels   = 1500
	mostProducts = 4 << 20
)

// Case makes the numbers a case: a convolution, a linear layer or attention,
// with any of what Read and Write describe around it.
func (z Fuzzed) Case() Case {
	n, h, w := 1+int(z.N)%3, 1+int(z.H)%64, 1+int(z.W)%64
	h = min(h, max(1, mostPixels/(n*w)))
	switch z.Kind % 4 {
	case 0:
		return z.attention(n, h, w)
	case 1:
		return z.linear(n)
	}
	return z.conv(n, h, w)
}

func (z Fuzzed) attention(n, h, w int) Case {
	heads, d := 1+int(z.Out>>5)%6, 1+int(z.Out)%32
	for area := h * w; n*heads*d*area*area > mostProducts && h > 1; area = h * w {
		h--
	}
	order := z.Read&1 != 0
	return Case{fmt.Sprintf("%d×%d heads of %d, %d×%d, new order %v", n, heads, d, h, w, order), exact, func(b *plan.Builder) plan.Value {
		return b.Attention("a", b.Input(plan.Shape{N: n, C: 3 * heads * d, H: h, W: w}), heads, order)
	}}
}

func (z Fuzzed) linear(n int) Case {
	in, out := 1+int(z.C)*int(1+z.C1)%1200, 1+int(z.Out)%1200
	return Case{fmt.Sprintf("%d× linear %d to %d", n, in, out), exact, func(b *plan.Builder) plan.Value {
		x := b.Input(plan.Shape{N: n, C: 8, H: 1, W: 1})
		return b.AddChannels("y", b.Conv("c", x, out, 1, 1, false), b.Linear("l", b.Time(n, in), out, z.Read&1 != 0))
	}}
}

func (z Fuzzed) conv(n, h, w int) Case {
	kernel, stride := 1+2*int(z.Kernel&1), 1+int(z.Kernel>>1&1)
	c, c1 := 1+int(z.C)%220, 0
	const ( // bits of Read
		silu = 1 << iota
		norm
		time
		concat
		up
		down
	)
	if z.Read&concat != 0 {
		c1 = 1 + int(z.C1)%80
	}
	resample := plan.Same
	switch {
	case z.Read&up != 0:
		resample = plan.Up
	case z.Read&down != 0:
		resample, h, w = plan.Down, h+h%2, w+w%2
	}
	oh, ow := (resample.Size(h)+stride-1)/stride, (resample.Size(w)+stride-1)/stride
	out := 1 + int(z.Out)%200
	out = min(out, max(1, mostProducts/(n*(c+c1)*kernel*kernel*oh*ow)))
	const ( // bits of Change
		shift = 1 << iota
		residual
		residualUp
		residualDown
	)
	name := fmt.Sprintf("%d×%d+%d×%d×%d to %d, %d×%d stride %d, read %b, change %b", n, c, c1, h, w, out, kernel, kernel, stride, z.Read, z.Change)
	return Case{name, exact, func(b *plan.Builder) plan.Value {
		x := b.Input(plan.Shape{N: n, C: c, H: h, W: w})
		r := x
		if c1 > 0 {
			r = b.Concat("z", r, b.Conv("c1", x, c1, 1, 1, false))
		}
		e := plan.None
		if z.Read&time != 0 || z.Change&shift != 0 {
			e = b.Time(n, 12)
		}
		if z.Read&norm != 0 && (c+c1)*h*w >= leastGroup {
			s := plan.None
			if z.Read&time != 0 {
				s = b.Linear("e", e, 2*(c+c1), true)
			}
			r = b.GroupNorm("n", r, groups(c+c1, h*w), s)
		}
		if z.Read&silu != 0 {
			r = b.SiLU("s", r)
		}
		if resample != plan.Same {
			r = b.Resample("r", r, resample)
		}
		y := b.Conv("c", r, out, kernel, stride, false)
		if z.Change&shift != 0 {
			y = b.AddChannels("h", y, b.Linear("f", e, out, false))
		}
		if z.Change&residual != 0 && stride == 1 {
			y = b.Add("y", y, skip(b, x, out, resample, z.Change&residualUp != 0, z.Change&residualDown != 0))
		}
		return y
	}}
}

// skip makes a residual of out channels, resampled as the picture was: before
// its own convolution or, as the fused plans have it, after.
func skip(b *plan.Builder, x plan.Value, out int, r plan.Resample, before, direct bool) plan.Value {
	if r == plan.Same {
		if direct && b.Channels(x) == out {
			return x
		}
		return b.Conv("x", x, out, 1, 1, false)
	}
	if before {
		return b.Conv("x", b.Resample("xr", x, r), out, 1, 1, false)
	}
	return b.Resample("xr", b.Conv("x", x, out, 1, 1, false), r)
}

// leastGroup is how many elements a group has at least: the norm of one alone
// is its rounding, three hundred times as large.
const leastGroup = 12

// groups is a number of groups that divides c channels.
func groups(c, area int) int {
	for _, g := range []int{32, 8, 5, 3, 2} {
		if c%g == 0 && c/g*area >= leastGroup {
			return g
		}
	}
	return 1
}
