package degrade

import (
	"math"
	"strings"
	"testing"
)

// What an operator can do must not depend on how it is built.
func TestAbilities(t *testing.T) {
	for name, want := range map[string]string{
		"sr4x-pool": "linear shrinks", "sr4x-bicubic": "linear shrinks", "sr4x-pool+noise-0.1": "linear shrinks",
		"blur-uni": "linear", "blur-uni-3": "linear", "blur-gauss": "linear", "blur-gauss-1.5.zero": "linear", "blur-uni.official": "linear",
		"blur-gauss+noise-0.03": "linear", "jpeg-1": "", "jpeg-100": "", "jpeg-10+noise-0.1": "",
		"inpaint-center": "linear masks", "inpaint-freeform1020": "linear masks", "inpaint-freeform2030": "linear masks",
		"inpaint-freeform3040": "linear masks", "inpaint-random-12.5": "linear masks", "inpaint-center+noise-0.1": "linear masks",
		"decolor": "linear", "mixture": "", "mixture+noise-0.1": "",
		"sr4x-bicubic+8bit": "linear shrinks", "sr4x-pool+noise-0.1+8bit": "linear shrinks", "blur-gauss-2.zero+8bit": "linear", "jpeg-10+8bit": "",
		"inpaint-center+8bit": "linear masks", "inpaint-random-5+noise-0.1+8bit": "linear masks", "mixture+noise-0+8bit": "",
	} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		var can []string
		if _, ok := op.(Linear); ok {
			can = append(can, "linear")
		}
		if _, ok := op.(Shrinker); ok {
			can = append(can, "shrinks")
		}
		if _, ok := op.(Masker); ok {
			can = append(can, "masks")
		}
		if got := strings.Join(can, " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if op.Name() != name {
			t.Errorf("%s calls itself %s", name, op.Name())
		}
	}
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{"", "jpeg", "jpeg-", "jpeg-0", "jpeg-101", "jpeg-x", "jpeg-010", "jpeg-+5", "jpeg--5", "jpeg-5.zero", "sr4x", "sr4x-pool-2", "sr4x-pool-",
		"blur-gauss-0", "blur-gauss-x", "blur-gauss--1", "blur-gauss-NaN", "blur-gauss-Inf", "blur-gauss-0x1p1", "blur-gauss-1e-300", "blur-gauss-101", "blur-gauss-.zero",
		"blur-uni-4", "blur-uni-0", "blur-uni-1001", "blur-uni-09", "blur-uni-", "blur-uni.official.zero", "blur-uni.official-3", "blur-uni.x",
		"inpaint-random", "inpaint-random-101", "inpaint-random--0", "inpaint-freeform4050", "inpaint-mask",
		"jpeg-5+noise-x", "jpeg-5+noise-", "jpeg-5+noise-1+noise-1", "+noise-1",
		"jpeg-5+8bit+noise-1", "jpeg-5+8bit+8bit", "jpeg-5+8", "jpeg-5+8bit ", "jpeg-5+noise+8bit", "jpeg-5+noise-+8bit", "jpeg-5+noise-x+8bit", "jpeg-5+", "+8bit", "jpeg-5+8bit.zero", "nothing", "decolor-", "mixture-2", "JPEG-5", "jpeg-5 "} {
		op, err := Parse(name)
		if err == nil {
			t.Errorf("%q became %T", name, op)
		} else if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "degrade: ") {
			t.Errorf("%q: %v", name, err)
		}
	}
	_, err := Parse("nothing")
	for _, n := range Names() {
		if !strings.Contains(err.Error(), n) {
			t.Errorf("%q does not list %s", err, n)
		}
	}
}

func TestOptions(t *testing.T) {
	for want, made := range map[string]func() (Operator, error){
		"jpeg-5+noise-0.03":         func() (Operator, error) { return Parse("jpeg-5", WithNoise(.03)) },
		"blur-uni.zero":             func() (Operator, error) { return Parse("blur-uni", WithZeroBorders()) },
		"blur-uni-5.zero+noise-0.1": func() (Operator, error) { return Parse("blur-uni-5", WithNoise(.1), WithZeroBorders()) },
		"blur-uni.zero+8bit":        func() (Operator, error) { return Parse("blur-uni+8bit", WithZeroBorders()) },
		"jpeg-5+noise-0.03+8bit":    func() (Operator, error) { return Parse("jpeg-5+8bit", WithNoise(.03)) },
		"blur-gauss-2.zero":         func() (Operator, error) { return Parse("blur-gauss-2.zero", WithZeroBorders()) },
	} {
		op, err := made()
		if err != nil {
			t.Fatal(err)
		}
		if op.Name() != want {
			t.Errorf("%s, want %s", op.Name(), want)
		}
	}
	for _, o := range []Option{WithNoise(-1), WithNoise(math.NaN()), WithNoise(math.Inf(1)), WithNoise(101), WithZeroBorders()} {
		if _, err := Parse("jpeg-5", o); err == nil {
			t.Error("no error for a bad option")
		}
	}
	for _, noisy := range []string{"jpeg-5+noise-1", "jpeg-5+noise-1+8bit"} {
		if _, err := Parse(noisy, WithNoise(1)); err == nil {
			t.Errorf("%s: no error for noise on noise", noisy)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, n := range []string{"jpeg-5", "blur-gauss-1.5.zero+noise-0.1", "inpaint-random-5", "mixture", "sr4x-pool+noise-0.01+8bit", "decolor+8bit"} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if op, err := Parse(name); err == nil && op.Name() != name {
			t.Errorf("%q calls itself %q", name, op.Name())
		}
	})
}
