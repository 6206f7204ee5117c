package degrade

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// entry makes an operator from its whole name and the parameter in it, which
// is empty if there is none.
type entry struct {
	name    string // up to the parameter
	hint    string // for people: the parameter
	borders bool   // .zero may follow
	make    func(name, arg string, zero bool) (Operator, error)
}

var entries []entry

// The table refers to mixture, which parses names: it is filled in here.
func init() {
	entries = []entry{
		{"sr4x-pool", "", false, plain(func(n string) Operator { return shrink{n, poolMatrix} })},
		{"sr4x-bicubic", "", false, plain(func(n string) Operator { return shrink{n, bicubicMatrix} })},
		{"blur-uni.official", "", false, plain(func(n string) Operator { return official{n, uniform(9)} })},
		{"blur-gauss.official", "", false, plain(func(n string) Operator { return official{n, gaussian(10, 2)} })},
		{"blur-uni", "[-WIDTH][.zero]", true, parseUniform},
		{"blur-gauss", "[-SIGMA][.zero]", true, parseGaussian},
		{"jpeg", "-QUALITY", false, parseJPEG},
		{"inpaint-center", "", false, plain(func(n string) Operator { return inpaint{n, centre} })},
		{"inpaint-freeform1020", "", false, plain(func(n string) Operator { return inpaint{n, freeform(0.10, 0.20)} })},
		{"inpaint-freeform2030", "", false, plain(func(n string) Operator { return inpaint{n, freeform(0.20, 0.30)} })},
		{"inpaint-freeform3040", "", false, plain(func(n string) Operator { return inpaint{n, freeform(0.30, 0.40)} })},
		{"inpaint-random", "-PERCENT", false, parseRandom},
		{"decolor", "", false, plain(func(n string) Operator { return decolor{n} })},
		{"mixture", "", false, func(n, arg string, _ bool) (Operator, error) { return standardMixture(n, arg) }},
	}
}

func plain(f func(name string) Operator) func(name, arg string, zero bool) (Operator, error) {
	return func(name, arg string, _ bool) (Operator, error) {
		if arg != "" {
			return nil, parameterless(name, arg)
		}
		return f(name), nil
	}
}

func parameterless(name, arg string) error {
	return fmt.Errorf("degrade: %s takes no parameter %q", strings.TrimSuffix(name, "-"+arg), arg)
}

// Names lists what Parse takes, with parameters in capitals.
func Names() []string {
	var names []string
	for _, e := range entries {
		names = append(names, e.name+e.hint)
	}
	return append(names, "NAME+noise-SIGMA", "NAME+8bit")
}

// Option adds to what a name says. The operator's Name then says it too.
type Option func(name string) (string, error)

// WithNoise adds Gaussian noise as a second stage, like +noise-SIGMA: of
// deviation sigma on [-1, 1], from 0 to 100.
func WithNoise(sigma float64) Option {
	return func(name string) (string, error) {
		base, stages := cutStages(name)
		if strings.HasPrefix(stages, "+noise-") {
			return "", fmt.Errorf("degrade: %q has noise already", name)
		}
		return base + "+noise-" + strconv.FormatFloat(sigma, 'f', -1, 64) + stages, nil
	}
}

// WithZeroBorders makes what lies beyond the borders of a blur black, like
// .zero, and not a reflection. It is an error for all but the true blurs.
func WithZeroBorders() Option {
	return func(name string) (string, error) {
		base, stages := cutStages(name)
		return strings.TrimSuffix(base, ".zero") + ".zero" + stages, nil
	}
}

// Parse finds an operator by name: see Names. Unknown names, and parameters
// out of their range, are errors.
//
//	sr4x-pool, sr4x-bicubic   a quarter of the size, each pixel then repeated
//	blur-uni-9                mean over an odd width, 1 to 999; 9 if left out
//	blur-gauss-1.5            σ in pixels, 0.001 to 100, on 2·⌈3σ⌉+1 taps;
//	                          left out, σ = 10 on 5 taps, as the reference says
//	blur-uni.official, …      the released operators with their faults
//	jpeg-10                   quality 1 to 100
//	inpaint-center            the middle half of both sides
//	inpaint-freeform1020      brush strokes over 10 to 20 % of the picture
//	inpaint-random-50         each pixel lost with so many percent, 0 to 100
//	decolor                   all channels become their mean
//	mixture                   one of the reference's nine, by the seed
//
// Borders of blurs are reflected without repeating the edge, or black with
// .zero. Any name may end in +noise-SIGMA (see WithNoise), in +8bit, which
// clamps the measurement and rounds it to the 256 levels of a file, and in both
// in this order: blur-gauss-2+noise-0.01+8bit.
func Parse(name string, opts ...Option) (Operator, error) {
	for _, o := range opts {
		var err error
		if name, err = o(name); err != nil {
			return nil, err
		}
	}
	if base, stages := cutStages(name); stages != "" {
		op, err := Parse(base)
		if err != nil {
			return nil, err
		}
		return Behind(op, stages)
	}
	base, zero := strings.CutSuffix(name, ".zero")
	for _, e := range entries {
		rest, ok := strings.CutPrefix(base, e.name)
		if !ok || rest != "" && (rest[0] != '-' || len(rest) == 1) {
			continue
		}
		if zero && !e.borders {
			return nil, fmt.Errorf("degrade: %q: only blurs take .zero", name)
		}
		return e.make(name, strings.TrimPrefix(rest, "-"), zero)
	}
	return nil, fmt.Errorf("degrade: there is no degradation %q; there are %s", name, strings.Join(Names(), ", "))
}

// number parses a plain decimal from lo to hi.
func number(s string, lo, hi float64) (float64, bool) {
	if strings.Trim(s, "0123456789.e-") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && v >= lo && v <= hi && !math.Signbit(v)
}

// integer parses a number written without sign or leading zeros.
func integer(s string, lo, hi int) (int, bool) {
	v, err := strconv.Atoi(s)
	return v, err == nil && v >= lo && v <= hi && strconv.Itoa(v) == s
}

// cutStages divides a name before its first +.
func cutStages(name string) (base, stages string) {
	base, _, _ = strings.Cut(name, "+")
	return base, name[len(base):]
}
