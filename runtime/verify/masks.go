package verify

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// hole is our mask for a reference mask, one for the whole batch or one for
// each item. A mask that was drawn at random cannot be made again: it is
// judged by its values, which should be 0 or 1, and then taken as it is.
func hole(clean *tensor, name string, want *tensor) (*tensor, error) {
	op, err := degrade.Parse(name)
	if err != nil {
		return nil, err
	}
	m, ok := op.(degrade.Masker)
	if !ok {
		return nil, fmt.Errorf("%s has no mask", name)
	}
	b, h, w := clean.shape[0], clean.shape[2], clean.shape[3]
	n := len(want.shape)
	if n < 2 || want.shape[n-2] != h || want.shape[n-1] != w || (len(want.v) != h*w && len(want.v) != b*h*w) {
		return nil, fmt.Errorf("it is %v, it should be [1, %d, %d]", want.shape, h, w)
	}
	got := &tensor{shape: want.shape, v: make([]float32, len(want.v))}
	if random(m, h, w) {
		for i, v := range want.v {
			got.v[i] = float32(math.RoundToEven(min(1, max(0, float64(v)))))
		}
		return got, nil
	}
	mask := m.Mask(h, w, 0)
	for i := range got.v {
		got.v[i] = float32(mask[i%(h*w)]) / 255
	}
	return got, nil
}

// random tells whether a mask depends on its seed.
func random(m degrade.Masker, h, w int) bool {
	return !bytes.Equal(m.Mask(h, w, 1), m.Mask(h, w, 2))
}

// reproducible refuses operators with randomness that the file does not bring.
// For an inpainting task it returns the recorded mask, if the task needs it.
func (j *job) reproducible(op degrade.Operator, clean *tensor) (*tensor, error) {
	name := op.Name()
	if strings.Contains(name, "+noise-") || strings.HasPrefix(name, "mixture") {
		return nil, fmt.Errorf("it is random and cannot be compared")
	}
	m, ok := op.(degrade.Masker)
	if !ok || !random(m, clean.shape[2], clean.shape[3]) {
		return nil, nil
	}
	if !j.has(name + ".mask") {
		return nil, fmt.Errorf("its hole is random: the tensor %s.mask is missing", name)
	}
	want, err := j.read(name + ".mask")
	if err != nil {
		return nil, err
	}
	return hole(clean, name, want)
}

// whiten fills a recorded hole with white.
func whiten(clean, mask *tensor) *tensor {
	c, hw := clean.shape[1], clean.shape[2]*clean.shape[3]
	y := &tensor{shape: clean.shape, v: make([]float32, len(clean.v))}
	for i, x := range clean.v {
		m := mask.v[(i/(c*hw)*hw+i%hw)%len(mask.v)]
		y.v[i] = x*(1-m) + m
	}
	return y
}
