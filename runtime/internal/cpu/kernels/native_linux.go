//go:build cgo && (amd64 || arm64)

package kernels

// #cgo LDFLAGS: -lpthread
// #include "native.h"
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

// sharing is held while a loop is shared: all variants have the same threads.
var sharing sync.Mutex

func (n *native) Threads() int { return runtime.GOMAXPROCS(0) }

func (n *native) Share(k Kernel, args int64, items int, scratch []int64) {
	sharing.Lock()
	defer sharing.Unlock()
	C.i2sb_share(n.run, C.int64_t(k), C.int64_t(args), C.int64_t(items),
		(*C.int64_t)(unsafe.SliceData(scratch)), C.int64_t(len(scratch)))
}
