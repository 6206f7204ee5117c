//go:build !js

package kernels

import (
	"context"
	_ "embed"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

//go:embed kernels-train.wasm
var binary []byte

// portable is the set for where there is no C compiler.
func portable() []Set { return []Set{&wasm{}} }

// wasm runs kernels-train.wasm in wazero. Every thread has an instance of its own;
// all import one memory, in which tensors lie and of which Go sees slices. It
// is an ordinary memory, not a shared one: it lies in one place for good (see
// reserve), threads never write to the same tensor elements, and Go's own
// synchronisation between kernels orders what they write.
type wasm struct {
	once     sync.Once
	err      error
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	mu       sync.Mutex // guards what follows
	memory   api.Memory
	heap     heap
	idle     []*instance
}

const (
	page      = 1 << 16
	maxPages  = 1 << 16
	stackSize = page // of one thread
)

func (w *wasm) Name() string { return "wasm" }
func (w *wasm) Vector() int  { return 4 }

// start compiles the module and makes the memory, at first use.
func (w *wasm) start() error {
	w.once.Do(func() {
		ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(reserve))
		w.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
		env, err := w.runtime.InstantiateWithConfig(ctx, memoryModule, wazero.NewModuleConfig().WithName("env"))
		if err == nil {
			w.memory = env.ExportedMemory("memory")
			w.heap.end = int64(w.memory.Size())
			w.heap.add(page, w.heap.end-page) // no address is 0
			w.compiled, err = w.runtime.CompileModule(ctx, binary)
		}
		if err != nil {
			w.err = fmt.Errorf("cpu: wazero: %w", err)
		}
	})
	return w.err
}

// memoryModule exports a memory of 2 to maxPages pages and nothing else.
var memoryModule = []byte{
	0, 'a', 's', 'm', 1, 0, 0, 0,
	5, 6, 1, 1, 2, 0x80, 0x80, 4, // memory section: one, with a maximum
	7, 10, 1, 6, 'm', 'e', 'm', 'o', 'r', 'y', 2, 0, // export section
}

func (w *wasm) Alloc(bytes int64) (Memory, error) {
	if bytes == 0 {
		return Memory{}, nil
	}
	if err := w.start(); err != nil {
		return Memory{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.heap.take(bytes)
	if !ok {
		more := (bytes + page - 1) / page
		if _, ok := w.memory.Grow(uint32(min(more, maxPages+1))); !ok {
			return Memory{}, &MemoryError{fmt.Sprintf("%d MiB do not fit into the 4 GiB of WASM's memory: use smaller tiles, or a build with a C compiler", bytes>>20)}
		}
		w.heap.add(w.heap.end, more*page)
		w.heap.end += more * page
		at, _ = w.heap.take(bytes)
	}
	view, _ := w.memory.Read(uint32(at), uint32(bytes))
	clear(view)
	return Memory{at, view}, nil
}

func (w *wasm) Free(m Memory) {
	if len(m.Bytes) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heap.add(m.Addr, int64(len(m.Bytes)))
}

func (w *wasm) Thread() (Thread, error) {
	if err := w.start(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		i := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		return i, nil
	}
	w.mu.Unlock()
	stack, err := w.Alloc(stackSize)
	if err != nil {
		return nil, err
	}
	m, err := w.runtime.InstantiateModule(context.Background(), w.compiled, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, fmt.Errorf("cpu: wazero: %w", err)
	}
	m.ExportedGlobal("__stack_pointer").(api.MutableGlobal).Set(uint64(stack.Addr + stackSize))
	return &instance{w: w, run: m.ExportedFunction("run")}, nil
}

// instance is a thread of the set.
type instance struct {
	w      *wasm
	run    api.Function
	params [5]uint64
}

func (i *instance) Run(k Kernel, args int64, from, to int, scratch int64) {
	i.params = [5]uint64{uint64(k), uint64(args), uint64(from), uint64(to), uint64(scratch)}
	if err := i.run.CallWithStack(context.Background(), i.params[:]); err != nil {
		panic(err) // a kernel went outside its memory: a fault of this package
	}
}

// Close keeps the instance for the next thread: wazero would free the memory
// that all import with the first that is closed.
func (i *instance) Close() {
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	i.w.idle = append(i.w.idle, i)
}
