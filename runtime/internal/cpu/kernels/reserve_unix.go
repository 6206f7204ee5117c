//go:build unix

package kernels

import (
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// reserve maps the whole of a memory at once, so that it never moves while it
// grows; the system gives pages as they are touched.
func reserve(_, limit uint64) experimental.LinearMemory {
	b, err := unix.Mmap(-1, 0, int(limit), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|mapNoReserve)
	if err != nil {
		return nil
	}
	return &reserved{b}
}

type reserved struct{ b []byte }

func (r *reserved) Reallocate(size uint64) []byte {
	if size > uint64(len(r.b)) {
		return nil
	}
	return r.b[:size:size]
}

func (r *reserved) Free() { _ = unix.Munmap(r.b) }
