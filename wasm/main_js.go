// Command wasm is the browser module: it runs in the worker of wasm/npm, one
// model at a time, and is called through an object that the worker passes on.
// Calls are few and large: options and headers go as JSON, pixels as bytes.
package main

import (
	"context"
	"runtime"
	"syscall/js"
)

// The engine sets globalThis.i2sb and calls what is put into it here. Every
// call takes a callback done(error, result); error is null or {code, message}.
func main() {
	w := &worker{}
	o := js.Global().Get("i2sb")
	export := func(name string, f func(args []js.Value) (any, error)) {
		o.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
			done := args[len(args)-1]
			go func() {
				r, err := f(args)
				if err != nil {
					done.Invoke(failure(err), nil)
					return
				}
				done.Invoke(nil, r)
			}()
			return nil
		}))
	}
	export("load", w.load)
	export("restore", w.restore)
	export("collect", func([]js.Value) (any, error) {
		// The second finds what the first one's finalizers have let go.
		runtime.GC()
		runtime.GC()
		return nil, nil
	})
	o.Set("hash", js.FuncOf(hash))
	o.Set("abort", js.FuncOf(func(js.Value, []js.Value) any {
		if w.cancel != nil {
			w.cancel()
		}
		return nil
	}))
	o.Call("ready")
	select {}
}

// begin makes the context of a call, which abort ends.
func (w *worker) begin() (ctx context.Context, end func()) {
	c, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	return &patient{Context: c}, func() {
		cancel()
		w.cancel = nil
	}
}
