package degrade

import "github.com/i2sb-go/i2sb/bridge"

// decolor replaces each channel by the mean of the three. Pictures of other
// than three channels have no colour and stay as they are.
type decolor struct{ name string }

func (o decolor) Name() string { return o.name }

var grey = [3]float64{.3333, .3334, .3333}

func (o decolor) Apply(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	y := x.Clone()
	if x.C != 3 {
		return y, nil
	}
	for i := range x.H * x.W {
		v := 0.0
		for c, g := range grey {
			v += g * float64(x.Plane(c)[i])
		}
		for c := range grey {
			y.Plane(c)[i] = float32(v)
		}
	}
	return y, nil
}

// Adjoint implements Linear.
func (o decolor) Adjoint(y *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(y); err != nil {
		return nil, err
	}
	x := y.Clone()
	if y.C != 3 {
		return x, nil
	}
	for i := range y.H * y.W {
		sum := float64(y.Plane(0)[i]) + float64(y.Plane(1)[i]) + float64(y.Plane(2)[i])
		for c, g := range grey {
			x.Plane(c)[i] = float32(g * sum)
		}
	}
	return x, nil
}
