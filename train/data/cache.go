package data

import (
	"container/list"
	"sync"

	"golang.org/x/sync/singleflight"
)

// cache keeps the pictures that were used last, up to a number of bytes. It is
// used by several goroutines; one of them decodes, the others wait for it.
type cache struct {
	limit int64
	load  func(path string) (*pixels, error)
	group singleflight.Group

	mu     sync.Mutex
	held   int64
	order  *list.List // of entry, the last used first
	byPath map[string]*list.Element
}

type entry struct {
	path string
	p    *pixels
}

func newCache(limit int64, load func(path string) (*pixels, error)) *cache {
	return &cache{limit: limit, load: load, order: list.New(), byPath: map[string]*list.Element{}}
}

func (c *cache) get(path string) (*pixels, error) {
	c.mu.Lock()
	if e, ok := c.byPath[path]; ok {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(entry).p, nil
	}
	c.mu.Unlock()
	v, err, _ := c.group.Do(path, func() (any, error) {
		p, err := c.load(path)
		if err == nil {
			c.keep(path, p)
		}
		return p, err
	})
	if err != nil {
		return nil, err
	}
	return v.(*pixels), nil
}

func (c *cache) keep(path string, p *pixels) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byPath[path]; ok || p.size() > c.limit {
		return
	}
	c.byPath[path] = c.order.PushFront(entry{path, p})
	for c.held += p.size(); c.held > c.limit; {
		last := c.order.Back()
		e := c.order.Remove(last).(entry)
		delete(c.byPath, e.path)
		c.held -= e.p.size()
	}
}
