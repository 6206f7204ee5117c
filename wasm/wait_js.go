package main

import (
	"context"
	"syscall/js"
	"time"
)

// await waits for a promise while the worker's events go on.
func await(p js.Value) (js.Value, error) {
	type settled struct {
		v   js.Value
		err error
	}
	c := make(chan settled, 1)
	ok := js.FuncOf(func(_ js.Value, args []js.Value) any {
		c <- settled{v: args[0]}
		return nil
	})
	defer ok.Release()
	bad := js.FuncOf(func(_ js.Value, args []js.Value) any {
		c <- settled{err: &thrown{args[0]}}
		return nil
	})
	defer bad.Release()
	p.Call("then", ok, bad)
	s := <-c
	return s.v, s.err
}

// patient is a context that lets the worker's events in from time to time when
// it is asked whether it has ended, as an executor does between operators: a
// worker that computes would never hear that it shall stop.
type patient struct {
	context.Context
	last time.Time
}

// between is how long events may wait.
const between = 30 * time.Millisecond

func (p *patient) Err() error {
	if now := time.Now(); now.Sub(p.last) >= between {
		await(js.Global().Get("i2sb").Call("turn"))
		p.last = time.Now()
	}
	return p.Context.Err()
}
