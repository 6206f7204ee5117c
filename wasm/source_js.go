package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"syscall/js"
)

// source is a pack behind a JavaScript object {size, read(at, n)}, whose bytes
// may still be on their way: read returns a Uint8Array or a promise of one.
type source struct {
	mu sync.Mutex
	js.Value
	size int64
}

func (s *source) ReadAt(b []byte, at int64) (int, error) {
	if at >= s.size {
		return 0, io.EOF
	}
	want := int(min(int64(len(b)), s.size-at))
	s.mu.Lock()
	defer s.mu.Unlock()
	part, err := call(s.Value, "read", float64(at), want)
	if err == nil && !part.InstanceOf(js.Global().Get("Uint8Array")) {
		part, err = await(part)
	}
	if err != nil {
		return 0, err
	}
	n := js.CopyBytesToGo(b[:want], part)
	switch {
	case n < want:
		return n, io.ErrUnexpectedEOF
	case want < len(b):
		return n, io.EOF
	}
	return n, nil
}

// call is o.method(args) with its exception as an error.
func call(o js.Value, method string, args ...any) (v js.Value, err error) {
	defer func() {
		if x, ok := recover().(js.Error); ok {
			err = &thrown{x.Value}
		}
	}()
	return o.Call(method, args...), nil
}

// hash returns a function that takes Uint8Arrays one after another and gives
// the SHA-256 of all when it is called without one.
func hash(js.Value, []js.Value) any {
	h := sha256.New()
	room := make([]byte, 64<<10)
	var f js.Func
	f = js.FuncOf(func(_ js.Value, args []js.Value) any {
		if len(args) == 0 {
			f.Release()
			return hex.EncodeToString(h.Sum(nil))
		}
		for part := args[0]; ; part = part.Call("subarray", len(room)) {
			n := js.CopyBytesToGo(room, part)
			h.Write(room[:n])
			if n < len(room) {
				return nil
			}
		}
	})
	return f
}
