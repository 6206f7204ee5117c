package degrade

import "github.com/i2sb-go/i2sb/bridge"

// addNoise puts noise behind an operator and keeps what else it can do: the
// adjoint is that of the operator without noise, which is a constant for a
// seed. The noise is that of the measurement (as DDRM adds it): where the
// picture is a measurement enlarged, so is its noise, and a hole stays white.
func addNoise(op Operator, arg string, sigma float32) Operator {
	n := noisy{op, noiseName(op.Name(), arg), sigma}
	switch o := op.(type) {
	case mixture:
		m := mixture{name: n.name}
		for _, one := range o.ops {
			m.ops = append(m.ops, addNoise(one, arg, sigma))
		}
		return m
	case inpaint:
		return noisyMask{noisyLinear{n}}
	case shrinking:
		return noisySmall{noisyLinear{n}, o}
	case Linear:
		return noisyLinear{n}
	}
	return n
}

type noisy struct {
	op    Operator
	name  string
	sigma float32
}

func (o noisy) Name() string { return o.name }

func (o noisy) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	y, err := o.op.Apply(x, seed)
	if err == nil {
		o.add(y, seed)
	}
	return y, err
}

func (o noisy) add(y *bridge.Image, seed uint64) {
	n := bridge.NewNoise(seed)
	row := make([]float32, y.W)
	for c := range y.C {
		for i := range y.H {
			n.Fill(row, bridge.DrawUser, 0, c, i, 0)
			out := y.Plane(c)[i*y.W:][:y.W]
			for j := range out {
				out[j] += o.sigma * row[j]
			}
		}
	}
}

// noisyLinear also is Linear.
type noisyLinear struct{ noisy }

// Adjoint implements Linear.
func (o noisyLinear) Adjoint(y *bridge.Image, seed uint64) (*bridge.Image, error) {
	return o.op.(Linear).Adjoint(y, seed)
}

// shrinking is a linear operator with a smaller measurement.
type shrinking interface {
	Linear
	Shrinker
}

// noisySmall also is a Shrinker: the noise is the measurement's.
type noisySmall struct {
	noisyLinear
	op shrinking
}

func (o noisySmall) Small(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	y, err := o.op.Small(x, seed)
	if err == nil {
		o.add(y, seed)
	}
	return y, err
}

func (o noisySmall) Enlarge(small *bridge.Image, h, w int) (*bridge.Image, error) {
	return o.op.Enlarge(small, h, w)
}

func (o noisySmall) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	small, err := o.Small(x, seed)
	if err != nil {
		return nil, err
	}
	return o.Enlarge(small, x.H, x.W)
}

// noisyMask also is a Masker.
type noisyMask struct{ noisyLinear }

func (o noisyMask) Mask(h, w int, seed uint64) []uint8 { return o.op.(inpaint).Mask(h, w, seed) }

func (o noisyMask) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	y, err := o.noisyLinear.Apply(x, seed)
	if err != nil {
		return nil, err
	}
	return o.op.Apply(y, seed) // the hole is white again
}
