package degrade

import (
	"fmt"

	"github.com/i2sb-go/i2sb/bridge"
)

// mixture is one of several degradations, chosen by the seed.
type mixture struct {
	name string
	ops  []Operator
}

// standardMixture has the reference's nine, in its order.
func standardMixture(name, arg string) (Operator, error) {
	if arg != "" {
		return nil, parameterless(name, arg)
	}
	return MixtureOf("jpeg-5", "jpeg-10", "blur-uni.official", "blur-gauss.official", "sr4x-pool", "sr4x-bicubic",
		"inpaint-center", "inpaint-freeform1020", "inpaint-freeform2030")
}

// MixtureOf is a mixture of other degradations, each as likely. It is called
// "mixture", whatever it is of. No names, and unknown ones, are errors.
func MixtureOf(names ...string) (Operator, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("degrade: a mixture of nothing")
	}
	m := mixture{name: "mixture"}
	for _, n := range names {
		op, err := Parse(n)
		if err != nil {
			return nil, err
		}
		m.ops = append(m.ops, op)
	}
	return m, nil
}

func (o mixture) Name() string { return o.name }

// Chosen is the degradation that a mixture takes for a seed; other operators
// are themselves. It is never a mixture, and is a Masker if it has a hole.
func Chosen(op Operator, seed uint64) Operator {
	r := random(seed, saltChoice)
	for {
		m, ok := op.(mixture)
		if !ok {
			return op
		}
		op = m.ops[r.IntN(len(m.ops))]
	}
}

// Apply fills holes with noise, as the reference's mixture does: its networks
// get no mask.
func (o mixture) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	one := Chosen(o, seed)
	y, err := one.Apply(x, seed)
	if m, ok := one.(Masker); ok && err == nil {
		bridge.FillHole(y, m.Mask(y.H, y.W, seed), bridge.NewNoise(seed))
	}
	return y, err
}
