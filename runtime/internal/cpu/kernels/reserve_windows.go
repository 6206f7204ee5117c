package kernels

import (
	"unsafe"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/windows"
)

// reserve takes the addresses of a whole memory at once, so that it never
// moves while it grows; memory is committed as it does.
func reserve(_, limit uint64) experimental.LinearMemory {
	at, err := windows.VirtualAlloc(0, uintptr(limit), windows.MEM_RESERVE, windows.PAGE_READWRITE)
	if err != nil {
		return nil
	}
	return &reserved{at, limit}
}

type reserved struct {
	at    uintptr
	limit uint64
}

func (r *reserved) Reallocate(size uint64) []byte {
	if size > r.limit {
		return nil
	}
	if _, err := windows.VirtualAlloc(r.at, uintptr(size), windows.MEM_COMMIT, windows.PAGE_READWRITE); err != nil {
		return nil
	}
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&r.at))), size)
}

func (r *reserved) Free() { _ = windows.VirtualFree(r.at, 0, windows.MEM_RELEASE) }
