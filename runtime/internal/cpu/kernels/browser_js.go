package kernels

import (
	"fmt"
	"runtime"
	"unsafe"
)

// The page's engine instantiates the kernels with Go's own memory and forwards
// these calls to them (wasm/npm/engine.mjs).

// bind makes an instance whose stack ends at an address; it tells whether it
// has relaxed vector instructions.
//
//go:wasmimport i2sb bind
func bind(stack uint32) (relaxed uint32)

//go:wasmimport i2sb run
func run(kernel, args, from, to, scratch uint32)

// portable is the set that the browser has compiled.
func portable() []Set { return []Set{newBrowser()} }

// browser is the kernels bound to Go's memory: addresses are those of Go's
// heap, whose objects never move, and nothing is copied. There is one thread.
type browser struct {
	stack   Memory
	relaxed bool
}

const stackSize = 1 << 16

func newBrowser() *browser {
	b := &browser{}
	b.stack, _ = b.Alloc(stackSize)
	b.relaxed = bind(uint32(b.stack.Addr)+stackSize) != 0
	return b
}

func (b *browser) Name() string {
	if b.relaxed {
		return "wasm-relaxed"
	}
	return "wasm"
}

func (b *browser) Vector() int { return 4 }

const (
	mostMemory = 4<<30 - 64<<20 // of 32-bit addresses, less what Go needs besides
	largeBytes = 16 << 20
)

// Alloc takes large pieces only after a collection, so that what was freed is
// there again: a page's memory never shrinks.
func (b *browser) Alloc(bytes int64) (Memory, error) {
	if bytes == 0 {
		return Memory{}, nil
	}
	if bytes >= largeBytes {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if int64(m.HeapAlloc)+bytes > mostMemory {
			return Memory{}, &MemoryError{fmt.Sprintf("%d MiB more than the %d MiB in use do not fit into the 4 GiB of WASM's memory: use smaller tiles", bytes>>20, m.HeapAlloc>>20)}
		}
	}
	p := make([]byte, bytes+line)
	at := -int(uintptr(unsafe.Pointer(&p[0]))) & (line - 1)
	p = p[at:][:bytes:bytes]
	return Memory{int64(uintptr(unsafe.Pointer(&p[0]))), p}, nil
}

// Free leaves the memory to the collector.
func (b *browser) Free(Memory) {}

func (b *browser) Thread() (Thread, error) { return b, nil }

func (b *browser) Run(k Kernel, args int64, from, to int, scratch int64) {
	run(uint32(k), uint32(args), uint32(from), uint32(to), uint32(scratch))
}

func (b *browser) Close() {}
