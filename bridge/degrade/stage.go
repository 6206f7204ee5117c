package degrade

import (
	"fmt"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
)

// stage is what a measurement goes through behind its operator: noise (as DDRM
// adds it), then what a file keeps of it. Where the picture is a measurement
// enlarged, the stages are the measurement's, and a hole stays white.
type stage func(y *bridge.Image, seed uint64)

// Behind puts stages behind an operator that has none, as they are written
// behind its name: "", "+noise-SIGMA", "+8bit" or "+noise-SIGMA+8bit". What else
// the operator can do it still can: the adjoint is its own, as if noise were a
// constant and nothing were rounded.
func Behind(op Operator, stages string) (Operator, error) {
	list, err := parseStages(op.Name(), stages)
	if err != nil || len(list) == 0 {
		return op, err
	}
	return behind(op, stages, list), nil
}

func parseStages(name, stages string) (list []stage, err error) {
	rest := stages
	if sigma, ok := strings.CutPrefix(rest, "+noise-"); ok {
		sigma, _, _ = strings.Cut(sigma, "+")
		rest = rest[len("+noise-")+len(sigma):]
		v, ok := number(sigma, 0, 100)
		if !ok {
			return nil, fmt.Errorf("degrade: %q: the noise is no number from 0 to 100", name+stages)
		}
		list = append(list, noise(float32(v)))
	}
	if rest == "+8bit" {
		return append(list, eightBits), nil
	}
	if rest != "" {
		return nil, fmt.Errorf("degrade: %q: behind a degradation come +noise-SIGMA, +8bit or both in this order, not %s", name+stages, rest)
	}
	return list, nil
}

func behind(op Operator, suffix string, stages []stage) Operator {
	s := staged{op, op.Name() + suffix, stages}
	switch o := op.(type) {
	case mixture:
		m := mixture{name: s.name}
		for _, one := range o.ops {
			m.ops = append(m.ops, behind(one, suffix, stages))
		}
		return m
	case inpaint:
		return stagedMask{stagedLinear{s}, o}
	case shrinking:
		return stagedSmall{stagedLinear{s}, o}
	case Linear:
		return stagedLinear{s}
	}
	return s
}

// noise adds Gaussian noise.
func noise(sigma float32) stage {
	return func(y *bridge.Image, seed uint64) {
		n := bridge.NewNoise(seed)
		row := make([]float32, y.W)
		for c := range y.C {
			for i := range y.H {
				n.Fill(row, bridge.DrawUser, 0, c, i, 0)
				out := y.Plane(c)[i*y.W:][:y.W]
				for j := range out {
					out[j] += sigma * row[j]
				}
			}
		}
	}
}

// eightBits leaves what a file of 8 bits a channel would.
func eightBits(y *bridge.Image, _ uint64) {
	for i, v := range y.Pix {
		y.Pix[i] = bridge.Level8(bridge.Code8(v))
	}
}

type staged struct {
	op     Operator
	name   string
	stages []stage
}

func (o staged) Name() string { return o.name }

func (o staged) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	y, err := o.op.Apply(x, seed)
	return o.through(y, seed, err)
}

// through takes a measurement, if there is one, through the stages.
func (o staged) through(y *bridge.Image, seed uint64, err error) (*bridge.Image, error) {
	if err != nil {
		return nil, err
	}
	for _, s := range o.stages {
		s(y, seed)
	}
	return y, nil
}

// stagedLinear also is Linear.
type stagedLinear struct{ staged }

// Adjoint implements Linear.
func (o stagedLinear) Adjoint(y *bridge.Image, seed uint64) (*bridge.Image, error) {
	return o.op.(Linear).Adjoint(y, seed)
}

// shrinking is a linear operator with a smaller measurement.
type shrinking interface {
	Linear
	Shrinker
}

// stagedSmall also is a Shrinker.
type stagedSmall struct {
	stagedLinear
	op shrinking
}

func (o stagedSmall) Small(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	y, err := o.op.Small(x, seed)
	return o.through(y, seed, err)
}

func (o stagedSmall) Enlarge(small *bridge.Image, h, w int) (*bridge.Image, error) {
	return o.op.Enlarge(small, h, w)
}

func (o stagedSmall) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	small, err := o.Small(x, seed)
	if err != nil {
		return nil, err
	}
	return o.Enlarge(small, x.H, x.W)
}

// stagedMask also is a Masker.
type stagedMask struct {
	stagedLinear
	op inpaint
}

func (o stagedMask) Mask(h, w int, seed uint64) []uint8 { return o.op.Mask(h, w, seed) }

func (o stagedMask) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	y, err := o.stagedLinear.Apply(x, seed)
	if err != nil {
		return nil, err
	}
	return o.op.Apply(y, seed) // the hole is white again
}
