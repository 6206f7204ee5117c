// Package kernels holds the CPU's leaf kernels: one C source, compiled for
// several instruction sets, and the memory that they work on.
package kernels

import "unsafe"

// Kernel is the number of a kernel in kernels.c.
type Kernel int64

const (
	ConvDirect Kernel = iota
	ConvWinograd4
	ConvWinograd2
	PackWeights
	RunMoments
	RunNorm
	RunMap
	RunConcat
	PackHeads
	Attend
	ImportPlanar
	ExportPlanar
	StageWeights
	StageInput
	StageMultiply
	StageOutput
	GatherWindow
	ScatterWindow
	Advance
	Peak
	Stream
	StageProducts
)

// The kernels of a Tiler.
const (
	ConvTiles Kernel = iota + 60
	PackTiles
	TileWeights
	LearnWeights16
	JoinSlots
)

// Sizes that the C source shares with its callers.
const (
	Block   = 16   // channels that lie together
	Slice   = 2    // output blocks that Winograd multiplies at a time
	Run     = 1024 // pixels of one run of moments
	Queries = 48   // of one item of Attend
	Keys    = 128  // of one chunk of Attend

	// Expanded is how many segments of narrow weights ConvDirect makes
	// float32 at a time.
	Expanded = 64

	TileBytes = 1024 // of a tile of weights of ConvTiles: 32 inputs × 16 outputs
	Turn16    = 32   // pixels that it multiplies at a time
)

// Set is the kernels compiled for one instruction set, and their memory.
type Set interface {
	// Name is the instruction set's.
	Name() string
	// Vector is the floats of one vector.
	Vector() int
	// Alloc returns zeroed memory that the kernels can address, aligned to a
	// cache line.
	Alloc(bytes int64) (Memory, error)
	// Free gives memory back; nothing may use it any more.
	Free(Memory)
	// Thread returns what one goroutine at a time runs kernels with.
	Thread() (Thread, error)
}

// Tiler is a Set that also convolves in bfloat16, with sums in float32.
type Tiler interface {
	Set
	Tiles()
}

// Thread runs kernels.
type Thread interface {
	// Run computes items from … to-1 of a kernel. Args is the address of its
	// struct of arguments; scratch that of memory no other thread uses.
	Run(k Kernel, args int64, from, to int, scratch int64)
	Close()
}

// Sharer is a Set that hands out a loop's items to threads of its own, where
// goroutines are no threads, or slower ones.
type Sharer interface {
	Set
	// Threads is how many there are, the caller's among them.
	Threads() int
	// Share computes n items of a kernel on as many threads as there are
	// addresses of scratch.
	Share(k Kernel, args int64, n int, scratch []int64)
}

// MemoryError says that memory for a tensor cannot be had.
type MemoryError struct{ Reason string }

func (e *MemoryError) Error() string { return "cpu: " + e.Reason }

// OutOfMemory tells the error from others, for those above who do not know
// this package.
func (e *MemoryError) OutOfMemory() bool { return true }

// Memory is a piece of a set's memory: Addr is its address as the kernels see
// it, Bytes the same memory as Go does.
type Memory struct {
	Addr  int64
	Bytes []byte
}

// Slice is the memory from a byte offset on.
func (m Memory) Slice(offset int64) Memory { return Memory{m.Addr + offset, m.Bytes[offset:]} }

// Floats views the memory as float32.
func (m Memory) Floats() []float32 {
	if len(m.Bytes) == 0 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&m.Bytes[0])), len(m.Bytes)/4)
}

// Put writes a struct of arguments, which has only 64-bit fields and no
// pointers, at a byte offset.
func Put[T any](m Memory, offset int64, args *T) {
	copy(m.Bytes[offset:], unsafe.Slice((*byte)(unsafe.Pointer(args)), unsafe.Sizeof(*args)))
}
