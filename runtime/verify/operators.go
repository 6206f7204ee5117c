package verify

import (
	"context"
	"fmt"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// operators judges degradations of one picture or of a batch, clean. Every
// other tensor is named by its operator, a hole by NAME.mask; clean_u8 holds
// the bytes that clean was made of.
func operators(_ context.Context, j *job) ([]Row, error) {
	clean, err := j.clean()
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, name := range j.names() {
		if name == "clean" {
			continue
		}
		want, err := j.read(name)
		if err != nil {
			return nil, err
		}
		var got *tensor
		switch {
		case name == "clean_u8":
			if !j.has("clean") {
				continue // it is the input
			}
			got = quantised(clean)
			if s := want.shape; len(s) == 3 {
				want.shape = append([]int{1}, s...)
			}
			for i, v := range want.v {
				want.v[i] = v/127.5 - 1
			}
		case strings.HasSuffix(name, ".mask"):
			got, err = hole(clean, strings.TrimSuffix(name, ".mask"), want)
		default:
			got, err = j.degraded(clean, name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := sameShape(name, want, got); err != nil {
			return nil, err
		}
		switch {
		case strings.HasPrefix(name, "jpeg-"):
			rows = append(rows, jpegRow(name, want, got))
		case strings.HasSuffix(name, ".official"):
			rows = append(rows, compare(name, want.v, got.v, officialTolerance))
		default:
			rows = append(rows, compare(name, want.v, got.v, operatorTolerance))
		}
	}
	return rows, nil
}

// clean is the picture, [B, C, H, W], made of its bytes if need be.
func (j *job) clean() (*tensor, error) {
	if !j.has("clean") {
		u, err := j.read("clean_u8")
		if err != nil {
			return nil, err
		}
		if len(u.shape) == 3 {
			u.shape = append([]int{1}, u.shape...)
		}
		if len(u.shape) != 4 {
			return nil, fmt.Errorf("clean_u8 is %v, it should be [H, W, C]", u.shape)
		}
		b, h, w, c := u.shape[0], u.shape[1], u.shape[2], u.shape[3]
		t := &tensor{shape: []int{b, c, h, w}, v: make([]float32, len(u.v))}
		for i, v := range u.v {
			t.v[((i/(h*w*c))*c+i%c)*h*w+i/c%(h*w)] = v/127.5 - 1
		}
		return t, nil
	}
	t, err := j.read("clean")
	if err != nil {
		return nil, err
	}
	if len(t.shape) == 3 {
		t.shape = append([]int{1}, t.shape...)
	}
	if len(t.shape) != 4 {
		return nil, fmt.Errorf("clean is %v, it should be [B, C, H, W]", t.shape)
	}
	return t, nil
}

// quantised orders clean as clean_u8 is ordered, channels last.
func quantised(clean *tensor) *tensor {
	b, c, h, w := clean.shape[0], clean.shape[1], clean.shape[2], clean.shape[3]
	t := &tensor{shape: []int{b, h, w, c}, v: make([]float32, 0, len(clean.v))}
	for i := range b {
		item := clean.slice(i)
		for p := range h * w {
			for ch := range c {
				t.v = append(t.v, item[ch*h*w+p])
			}
		}
	}
	return t
}

// degraded applies an operator to every item of the batch.
func (j *job) degraded(clean *tensor, name string) (*tensor, error) {
	op, err := degrade.Parse(name)
	if err != nil {
		return nil, err
	}
	mask, err := j.reproducible(op, clean)
	if err != nil {
		return nil, err
	}
	if mask != nil {
		return whiten(clean, mask), nil
	}
	y := &tensor{shape: clean.shape}
	for b := range clean.shape[0] {
		x := bridge.NewImage(clean.shape[1], clean.shape[2], clean.shape[3])
		copy(x.Pix, clean.slice(b))
		z, err := op.Apply(x, 0)
		if err != nil {
			return nil, err
		}
		if err := z.SameSize(x); err != nil {
			return nil, err
		}
		y.v = append(y.v, z.Pix...)
	}
	return y, nil
}
