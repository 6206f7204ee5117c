// Package degrade holds the degradations that I²SB undoes, as functions from
// a clean picture to a degraded one of the same size, with the adjoints of the
// linear ones. Pictures of any size are taken: where an operator works in
// blocks, the picture is padded by reflection and the result cut back.
package degrade

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
)

// Operator is a degradation.
type Operator interface {
	// Name is what Parse was given.
	Name() string
	// Apply degrades x, values in [-1, 1]. The result is neither clipped nor
	// rounded. Equal seeds give equal results; operators without randomness
	// ignore the seed.
	Apply(x *bridge.Image, seed uint64) (*bridge.Image, error)
}

// Linear is an operator that is linear but for a constant.
type Linear interface {
	Operator
	// Adjoint applies the transpose of the linear part: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩ for
	// Ax = Apply(x) − Apply(0).
	Adjoint(y *bridge.Image, seed uint64) (*bridge.Image, error)
}

// Shrinker is a degradation with a smaller measurement.
type Shrinker interface {
	Operator
	// Small returns the measurement, ⌈H/4⌉×⌈W/4⌉; Apply is its nearest
	// enlargement, cut to the picture's size.
	Small(x *bridge.Image) (*bridge.Image, error)
}

// Masker is an inpainting task.
type Masker interface {
	Operator
	// Mask returns H·W values, 255 in the hole and 0 elsewhere.
	Mask(h, w int, seed uint64) []uint8
}

// entry makes the operator of a name from what follows the entry's own name
// and a hyphen.
type entry struct {
	name string // up to the parameter
	hint string // for people: the parameter
	make func(name, arg string) (Operator, error)
}

var entries []entry

// The table refers to mixture, which parses names: it is filled in here.
func init() {
	entries = []entry{
		{"sr4x-pool", "", plain(func(n string) Operator { return separable{n, poolMatrix, nil} })},
		{"sr4x-bicubic", "", plain(func(n string) Operator { return separable{n, bicubicMatrix, nil} })},
		{"blur-uni.official", "", plain(func(n string) Operator { return official{n, uniform(9)} })},
		{"blur-gauss.official", "", plain(func(n string) Operator { return official{n, gaussian(10, 2)} })},
		{"blur-uni", "[-WIDTH][.zero]", parseUniform},
		{"blur-gauss", "[-SIGMA][.zero]", parseGaussian},
		{"jpeg", "-QUALITY", parseJPEG},
		{"inpaint-center", "", plain(func(n string) Operator { return inpaint{n, centre} })},
		{"inpaint-freeform1020", "", plain(func(n string) Operator { return inpaint{n, freeform(0.10, 0.20)} })},
		{"inpaint-freeform2030", "", plain(func(n string) Operator { return inpaint{n, freeform(0.20, 0.30)} })},
		{"inpaint-freeform3040", "", plain(func(n string) Operator { return inpaint{n, freeform(0.30, 0.40)} })},
		{"inpaint-random", "-PERCENT", parseRandom},
		{"decolor", "", plain(func(n string) Operator { return decolor{n} })},
		{"mixture", "", plain(func(n string) Operator { return mixture{n, mixtureNames} })},
	}
}

func plain(f func(name string) Operator) func(name, arg string) (Operator, error) {
	return func(name, arg string) (Operator, error) {
		if arg != "" {
			return nil, fmt.Errorf("degrade: %s takes no parameter %q", strings.TrimSuffix(name, "-"+arg), arg)
		}
		return f(name), nil
	}
}

// Names lists what Parse takes, with parameters in capitals.
func Names() []string {
	var names []string
	for _, e := range entries {
		names = append(names, e.name+e.hint)
	}
	return append(names, "NAME+noise-SIGMA")
}

// Parse finds an operator by name: see Names. blur-uni is 9 wide and
// blur-gauss has σ = 10 on 5 taps, as the reference means them; blur-gauss-1.5
// has σ = 1.5 on 2·⌈3σ⌉+1 taps. Borders are reflected, or zero with .zero.
// The .official ones repeat the released operators with their faults. Any name
// may end in +noise-SIGMA for additive noise of that deviation on [-1, 1].
func Parse(name string) (Operator, error) {
	if base, arg, ok := strings.Cut(name, "+noise-"); ok {
		sigma, err := strconv.ParseFloat(arg, 64)
		if err != nil || !(sigma >= 0 && sigma <= 100) {
			return nil, fmt.Errorf("degrade: %q: the noise is no number from 0 to 100", name)
		}
		op, err := Parse(base)
		if err != nil {
			return nil, err
		}
		return noisy{op, name, float32(sigma)}, nil
	}
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(name, e.name); ok && (rest == "" || rest[0] == '-' || rest == ".zero") {
			return e.make(name, strings.TrimPrefix(rest, "-"))
		}
	}
	return nil, fmt.Errorf("degrade: there is no degradation %q; there are %s", name, strings.Join(Names(), ", "))
}

// random is the generator of a seed; salt keeps the uses of a seed apart.
func random(seed, salt uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, salt)) }

func check(x *bridge.Image) error {
	if x.C < 1 || x.H < 1 || x.W < 1 || len(x.Pix) != x.C*x.H*x.W {
		return fmt.Errorf("degrade: a picture of %d×%d×%d with %d values", x.C, x.H, x.W, len(x.Pix))
	}
	return nil
}

// reflect folds i into [0, n) without repeating the edge.
func reflect(i, n int) int {
	if n == 1 {
		return 0
	}
	m := 2 * (n - 1)
	i = ((i % m) + m) % m
	return min(i, m-i)
}

// symmetric folds i into [0, n), repeating the edge.
func symmetric(i, n int) int {
	m := 2 * n
	i = ((i % m) + m) % m
	return min(i, m-1-i)
}

// noisy adds noise as a second stage.
type noisy struct {
	Operator
	name  string
	sigma float32
}

func (o noisy) Name() string { return o.name }

func (o noisy) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	y, err := o.Operator.Apply(x, seed)
	if err != nil {
		return nil, err
	}
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
	return y, nil
}

// mixture is one of several degradations, chosen by the seed.
type mixture struct {
	name  string
	names []string
}

// mixtureNames are the reference's nine, in its order.
var mixtureNames = []string{"jpeg-5", "jpeg-10", "blur-uni.official", "blur-gauss.official", "sr4x-pool", "sr4x-bicubic",
	"inpaint-center", "inpaint-freeform1020", "inpaint-freeform2030"}

// MixtureOf is a mixture of other degradations, each as likely.
func MixtureOf(names ...string) (Operator, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("degrade: a mixture of nothing")
	}
	for _, n := range names {
		if _, err := Parse(n); err != nil {
			return nil, err
		}
	}
	return mixture{"mixture", slices.Clone(names)}, nil
}

func (o mixture) Name() string { return o.name }

// Chosen is the degradation that a mixture takes for a seed; other operators
// are themselves.
func Chosen(op Operator, seed uint64) Operator {
	m, ok := op.(mixture)
	if !ok {
		return op
	}
	one, err := Parse(m.names[random(seed, 1).IntN(len(m.names))])
	if err != nil {
		panic(err) // the names were parsed before
	}
	return one
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
