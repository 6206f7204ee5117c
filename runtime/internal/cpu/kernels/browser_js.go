package kernels

import (
	"fmt"
	"runtime"
	"unsafe"
)

// The page's engine instantiates the kernels with Go's own memory and forwards
// these calls to them (wasm/npm/engine.mjs).

// threads is how many the page allows; relaxed tells whether the kernels have
// relaxed vector instructions.
//
//go:wasmimport i2sb threads
func threads() uint32

//go:wasmimport i2sb relaxed
func relaxed() uint32

// bind makes a thread's instance ready, with a stack that ends at an address.
//
//go:wasmimport i2sb bind
func bind(thread, stack uint32)

//go:wasmimport i2sb run
func run(kernel, args, from, to, scratch uint32)

// share computes n items, step at a time, on some threads; scratch is where their addresses lie.
//
//go:wasmimport i2sb share
func share(kernel, args, n, step uint32, scratch unsafe.Pointer, threads uint32)

// portable is the set that the browser has compiled.
func portable() []Set { return []Set{newBrowser()} }

// browser is the kernels bound to Go's memory: addresses are those of Go's
// heap, whose objects never move, and nothing is copied. Several threads share
// that memory where the page may have them.
type browser struct {
	stacks  Memory
	threads int
	relaxed bool
	scratch []uint32 // of the loop that is shared
}

const stackSize = 1 << 16

func newBrowser() *browser {
	b := &browser{threads: int(threads()), relaxed: relaxed() != 0}
	b.stacks, _ = b.Alloc(int64(b.threads) * stackSize)
	for i := range b.threads {
		bind(uint32(i), uint32(b.stacks.Addr)+uint32(i+1)*stackSize)
	}
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

func (b *browser) Threads() int { return b.threads }

func (b *browser) Share(k Kernel, args int64, n int, scratch []int64) {
	step := max(1, n/(8*len(scratch)))
	b.scratch = b.scratch[:0]
	for _, s := range scratch {
		b.scratch = append(b.scratch, uint32(s))
	}
	share(uint32(k), uint32(args), uint32(n), uint32(step), unsafe.Pointer(unsafe.SliceData(b.scratch)), uint32(len(scratch)))
}
