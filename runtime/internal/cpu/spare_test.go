package cpu

import (
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
)

// counted is a set of which only memory is asked, and counted.
type counted struct {
	kernels.Set
	held map[*byte]bool
}

func (c counted) Alloc(bytes int64) (kernels.Memory, error) {
	m := kernels.Memory{Bytes: make([]byte, bytes)}
	c.held[&m.Bytes[0]] = true
	return m, nil
}

func (c counted) Free(m kernels.Memory) { delete(c.held, &m.Bytes[0]) }

func TestSpares(t *testing.T) {
	set, s := counted{held: map[*byte]bool{}}, &spares{}
	get := func(n int64) kernels.Memory {
		m, err := s.get(set, n)
		if err != nil || int64(len(m.Bytes)) != n {
			t.Fatalf("%d bytes: %d, %v", n, len(m.Bytes), err)
		}
		return m
	}
	a, large := get(1000), get(smallPlane)
	s.put(set, a)
	s.put(set, large)
	if len(set.held) != 1 {
		t.Errorf("%d planes are held, not the small one alone", len(set.held))
	}
	if b, c := get(1000), get(1000); &b.Bytes[0] != &a.Bytes[0] || &c.Bytes[0] == &a.Bytes[0] {
		t.Error("a spare was not taken, or twice")
	}
	late := get(77)
	for n := range int64(2 * mostSpares) {
		s.put(set, get(n+1))
	}
	if n := len(set.held); n != mostSpares+3 { // and the three that are in use
		t.Errorf("%d planes are held", n)
	}
	s.close(set)
	s.put(set, late)
	if n := len(set.held); n != 2 {
		t.Errorf("%d planes are held once it is closed", n)
	}
}
