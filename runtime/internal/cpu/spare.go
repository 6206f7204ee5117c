package cpu

import (
	"slices"
	"sync"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
)

// spares are small planes of pictures that are done, for the next one. The
// system gives them in pages of 4 KiB, each at the cost of a fault when it is
// first touched; larger planes come in pages of 2 MiB, and go back at once.
type spares struct {
	mu     sync.Mutex
	planes []kernels.Memory // the longest unused first
	closed bool
}

const (
	smallPlane = 2 << 20 // bytes
	mostSpares = 4
)

// get is a plane of any content.
func (s *spares) get(set kernels.Set, bytes int64) (kernels.Memory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range s.planes {
		if int64(len(m.Bytes)) == bytes {
			s.planes = slices.Delete(s.planes, i, i+1)
			return m, nil
		}
	}
	return set.Alloc(bytes)
}

// put keeps a plane, or frees it.
func (s *spares) put(set kernels.Set, m kernels.Memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(m.Bytes) >= smallPlane || s.closed {
		set.Free(m)
		return
	}
	if len(s.planes) == mostSpares {
		set.Free(s.planes[0])
		s.planes = slices.Delete(s.planes, 0, 1)
	}
	s.planes = append(s.planes, m)
}

// close frees all, and what comes later.
func (s *spares) close(set kernels.Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, m := range s.planes {
		set.Free(m)
	}
	s.planes = nil
}
