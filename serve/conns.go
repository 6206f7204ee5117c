package serve

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// conns bounds connections. Above the limit, the one that has been without a
// request for longest is closed; a request counts from the end of its header.
type conns struct {
	limit int

	mu   sync.Mutex
	all  map[net.Conn]*conn
	idle list.List // of *conn, the longest idle first
}

type conn struct {
	net.Conn
	requests int
	place    *list.Element // in idle, or nil
}

func newConns(limit int) *conns { return &conns{limit: limit, all: map[net.Conn]*conn{}} }

// state is an http.Server's ConnState.
func (c *conns) state(nc net.Conn, s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateNew:
		k := &conn{Conn: nc}
		c.all[nc] = k
		k.place = c.idle.PushBack(k)
		if len(c.all) > c.limit {
			oldest := c.idle.Front().Value.(*conn)
			c.forget(oldest)
			abort(oldest.Conn)
		}
	case http.StateClosed, http.StateHijacked:
		if k := c.all[nc]; k != nil {
			c.forget(k)
		}
	}
}

func (c *conns) forget(k *conn) {
	if k.place != nil {
		c.idle.Remove(k.place)
		k.place = nil
	}
	delete(c.all, k.Conn)
}

// abort closes a connection without the farewell of TLS, which may block.
func abort(nc net.Conn) {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	nc.Close()
}

type connKey struct{}

// context is an http.Server's ConnContext.
func (c *conns) context(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, nc)
}

// busy marks a request's connection until the function it returns is called.
func (c *conns) busy(ctx context.Context) (done func()) {
	nc, _ := ctx.Value(connKey{}).(net.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.all[nc]
	if k == nil {
		return func() {}
	}
	k.requests++
	if k.place != nil {
		c.idle.Remove(k.place)
		k.place = nil
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if k.requests--; k.requests == 0 && c.all[nc] == k {
			k.place = c.idle.PushBack(k)
		}
	}
}

func (c *conns) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}
