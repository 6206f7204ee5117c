//go:build cgo && (amd64 || arm64)

package kernels

/*
#cgo CFLAGS: -O3 -Wall
#cgo LDFLAGS: -lm
#include "native.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// native is a variant that this processor runs.
type native struct {
	name   string
	vector int
	run    C.i2sb_run
}

func (n *native) Name() string { return n.name }
func (n *native) Vector() int  { return n.vector }

func (n *native) Alloc(bytes int64) (Memory, error) {
	if bytes == 0 {
		return Memory{}, nil
	}
	p := C.i2sb_alloc(C.size_t(bytes))
	if p == nil {
		return Memory{}, &MemoryError{fmt.Sprintf("the system has no %d MiB of memory left", bytes>>20)}
	}
	return Memory{int64(uintptr(p)), unsafe.Slice((*byte)(p), bytes)}, nil
}

func (n *native) Free(m Memory) {
	if len(m.Bytes) > 0 {
		C.i2sb_free(unsafe.Pointer(&m.Bytes[0]), C.size_t(len(m.Bytes)))
	}
}

func (n *native) Thread() (Thread, error) { return n, nil }

func (n *native) Run(k Kernel, args int64, from, to int, scratch int64) {
	C.i2sb_call(n.run, C.int64_t(k), C.int64_t(args), C.int64_t(from), C.int64_t(to), C.int64_t(scratch))
}

func (n *native) Close() {}
