package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// Degradation is a name of bridge/degrade, or jpeg-file-QUALITY for files as
// encoders write them, in which A..B stands for a number between both: jpeg-5..40,
// blur-gauss-0.8..3+noise-0..0.02+8bit. Whole numbers make whole numbers, others
// multiples of a hundredth, or of a thousandth where the range is narrow.
type Degradation struct {
	Name   string  `toml:"name"`
	Weight float64 `toml:"weight"` // its share, against those of the others
}

// ParseDegradation reads NAME or NAME:WEIGHT.
func ParseDegradation(s string) (Degradation, error) {
	d := Degradation{Name: s, Weight: 1}
	if name, weight, ok := strings.Cut(s, ":"); ok {
		v, err := strconv.ParseFloat(weight, 64)
		if err != nil || !(v > 0) || math.IsInf(v, 0) {
			return d, fmt.Errorf("%q: the weight after the colon is no number above 0", s)
		}
		d = Degradation{name, v}
	}
	_, err := newRanged(d.Name)
	return d, err
}

// String is what ParseDegradation reads.
func (d Degradation) String() string {
	if d.Weight == 1 {
		return d.Name
	}
	return d.Name + ":" + strconv.FormatFloat(d.Weight, 'g', -1, 64)
}

// Mixture draws degradations. It may be used by several goroutines.
type Mixture struct {
	of  []*ranged
	sum []float64 // of the weights up to and with each
	ops sync.Map  // name → degrade.Operator
}

// NewMixture checks the list, which must not be empty.
func NewMixture(list []Degradation) (*Mixture, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("no degradation is given")
	}
	m := &Mixture{}
	total := 0.0
	for _, d := range list {
		r, err := newRanged(d.Name)
		if err != nil {
			return nil, err
		}
		if !(d.Weight > 0) || math.IsInf(d.Weight, 0) {
			return nil, fmt.Errorf("the weight of %s is %v; it must be above 0", d.Name, d.Weight)
		}
		total += d.Weight
		m.of, m.sum = append(m.of, r), append(m.sum, total)
	}
	return m, nil
}

// Draw chooses an operator.
func (m *Mixture) Draw(r *rand.Rand) (degrade.Operator, error) {
	u, i := r.Float64()*m.sum[len(m.sum)-1], 0
	for i < len(m.sum)-1 && u >= m.sum[i] {
		i++
	}
	return m.operator(m.of[i].draw(r.Float64))
}

// operator parses each name once: they are few.
func (m *Mixture) operator(name string) (degrade.Operator, error) {
	if op, ok := m.ops.Load(name); ok {
		return op.(degrade.Operator), nil
	}
	op, err := Parse(name)
	if err == nil {
		m.ops.Store(name, op)
	}
	return op, err
}

// Middle is a name with every range replaced by the geometric mean of its ends,
// or their mean where one is 0: what stands for the range when it is measured.
func Middle(name string) string {
	r, err := newRanged(name)
	if err != nil {
		return name
	}
	for i := range r.ranges {
		g := &r.ranges[i]
		v := math.Sqrt(g.lo * g.hi)
		if g.lo == 0 {
			v = g.hi / 2
		}
		v = math.Round(v*g.parts) / g.parts
		g.lo, g.hi = v, v
	}
	return r.draw(func() float64 { return 0 })
}

// Parse is degrade.Parse with jpeg-file-QUALITY besides.
func Parse(name string) (degrade.Operator, error) {
	base, _, _ := strings.Cut(name, "+")
	q, ok := strings.CutPrefix(base, "jpeg-file-")
	if !ok {
		return degrade.Parse(name)
	}
	op, err := newJPEGFile(base, q)
	if err != nil {
		return nil, err
	}
	return degrade.Behind(op, name[len(base):])
}

// ranged is a name with numbers left open.
type ranged struct {
	text   []string // around the ranges
	ranges []span
}

type span struct {
	lo, hi float64
	parts  float64 // of one, that numbers are multiples of
}

var rangePattern = regexp.MustCompile(`(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)`)

func newRanged(name string) (*ranged, error) {
	r := &ranged{}
	at := 0
	for _, m := range rangePattern.FindAllStringSubmatchIndex(name, -1) {
		a, b := name[m[2]:m[3]], name[m[4]:m[5]]
		lo, _ := strconv.ParseFloat(a, 64)
		hi, _ := strconv.ParseFloat(b, 64)
		if lo > hi {
			return nil, fmt.Errorf("%q: the range %s..%s ends before it begins", name, a, b)
		}
		r.text = append(r.text, name[at:m[0]])
		r.ranges = append(r.ranges, span{lo, hi, parts(a, b, hi-lo)})
		at = m[1]
	}
	r.text = append(r.text, name[at:])
	// Ranges of operators have no gaps: both ends tell.
	for _, u := range []float64{0, math.Nextafter(1, 0)} {
		if _, err := Parse(r.draw(func() float64 { return u })); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// parts are those of a range that is written as from a to b.
func parts(a, b string, wide float64) float64 {
	switch {
	case !strings.Contains(a+b, "."):
		return 1
	case wide < 0.1:
		return 1000
	}
	return 100
}

// draw fills the ranges with uniform numbers.
func (r *ranged) draw(uniform func() float64) string {
	var b strings.Builder
	for i, g := range r.ranges {
		b.WriteString(r.text[i])
		n := math.Floor((g.hi-g.lo)*g.parts + 1.5)
		v := min(g.hi, g.lo+math.Floor(uniform()*n)/g.parts)
		b.WriteString(strconv.FormatFloat(math.Round(v*g.parts)/g.parts, 'f', -1, 64))
	}
	b.WriteString(r.text[len(r.text)-1])
	return b.String()
}
