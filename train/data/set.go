package data

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// Options say how a Set draws.
type Options struct {
	Channels int      // of the pictures: 3, or 1
	Area     float64  // a picture is drawn in proportion to its area to this power: 0 each as often, 1 each pixel as often
	Flip     bool     // half of the crops are mirrored
	Cache    int64    // bytes of decoded pictures that are kept
	Mixture  *Mixture // of photographs; nil for pairs
	AddNoise bool     // x1 gets N(0,1) after the condition was taken
	Fill     string   // of holes: bridge.FillNoise or FillHarmonic
	// Bad is told of each file that turns out unreadable, once, with its name.
	Bad func(name string, err error)
}

// Set draws crops of items. It may be used by several goroutines.
type Set struct {
	opt   Options
	items []Item
	cache *cache

	mu    sync.Mutex
	bad   map[string]bool
	large map[int]*choice // by crop size
}

// choice is what a crop size can be cut from.
type choice struct {
	items []int
	sum   []float64
}

// NewSet makes a set of items.
func NewSet(items []Item, o Options) *Set {
	s := &Set{opt: o, items: items, bad: map[string]bool{}, large: map[int]*choice{}}
	s.cache = newCache(o.Cache, func(path string) (*pixels, error) { return load(path, o.Channels) })
	return s
}

// Fits is how many of the items have room for a crop of size×size.
func (s *Set) Fits(size int) int { return len(s.choice(size).items) }

func (s *Set) choice(size int) *choice {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.large[size]; c != nil {
		return c
	}
	c, total := &choice{}, 0.0
	for i, it := range s.items {
		if min(it.W, it.H) >= size {
			total += math.Pow(float64(it.W)*float64(it.H), s.opt.Area)
			c.items, c.sum = append(c.items, i), append(c.sum, total)
		}
	}
	s.large[size] = c
	return c
}

// Sample is what a network learns from.
type Sample struct {
	X0, X1 *bridge.Image
	Cond   *bridge.Image // what a conditional network reads: x1 before noise was added to it
	Mask   []uint8       // 255 in the hole of an inpainting task, else nil
	Class  int
	Item   string
	Task   string // the degradation, "" for pairs
}

// Draw makes the sample of a stream: which picture, where, and what becomes of
// it follow from r and noise alone. A picture that cannot be read is replaced
// by the next one drawn.
func (s *Set) Draw(r *rand.Rand, noise bridge.Noise, size int) (*Sample, error) {
	c := s.choice(size)
	if len(c.items) == 0 {
		return nil, fmt.Errorf("no picture has room for a crop of %d×%d", size, size)
	}
	for {
		u := r.Float64() * c.sum[len(c.sum)-1]
		i := c.items[min(len(c.items)-1, sort.Search(len(c.sum), func(k int) bool { return c.sum[k] > u }))]
		it := s.items[i]
		u, v := r.Float64(), r.Float64()
		flip := s.opt.Flip && r.Uint64()&1 == 1
		if s.isBad(it.Name) {
			if s.exhausted(c) {
				return nil, errors.New("none of the pictures can be read any more")
			}
			continue
		}
		q, err := s.at(it, func(w, h int) (int, int, int, int) {
			return int(u * float64(w-size+1)), int(v * float64(h-size+1)), size, size
		}, flip)
		if err != nil {
			s.mark(it.Name, err)
			continue
		}
		if it.degraded == "" {
			op, err := s.opt.Mixture.Draw(r)
			if err != nil {
				return nil, err
			}
			if err := s.degrade(q, op, r.Uint64(), noise); err != nil {
				return nil, err
			}
		}
		s.condition(q, noise)
		return q, nil
	}
}

// Place is where to cut a picture of w×h: the decoded one, which its header may
// have turned.
type Place func(w, h int) (x, y, width, height int)

// At is the sample of a place, degraded by op, which pairs do not need. A file
// that cannot be read is told to Bad, and the error is one of Unreadable.
func (s *Set) At(it Item, place Place, op degrade.Operator, seed uint64) (*Sample, error) {
	q, err := s.at(it, place, false)
	if Unreadable(err) {
		s.mark(it.Name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", it.Name, err)
	}
	noise := bridge.NewNoise(seed)
	if it.degraded == "" {
		if err := s.degrade(q, op, seed, noise); err != nil {
			return nil, err
		}
	}
	s.condition(q, noise)
	return q, nil
}

func (s *Set) at(it Item, place Place, flip bool) (*Sample, error) {
	q := &Sample{Class: it.Class, Item: it.Name}
	for path, to := range map[string]**bridge.Image{it.clean: &q.X0, it.degraded: &q.X1} {
		if path == "" {
			continue
		}
		p, err := s.cache.get(path)
		if err != nil {
			return nil, unreadable{err}
		}
		x, y, w, h := place(p.w, p.h)
		if *to, err = p.crop(s.opt.Channels, x, y, w, h, flip); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// unreadable is an error of a picture's file.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// Unreadable tells whether an error is of a picture's file, and not of what was
// asked of it.
func Unreadable(err error) bool {
	var u unreadable
	return errors.As(err, &u)
}

// degrade makes x1, and fills the hole of an inpainting task.
func (s *Set) degrade(q *Sample, op degrade.Operator, seed uint64, noise bridge.Noise) (err error) {
	q.Task = op.Name()
	if q.X1, err = op.Apply(q.X0, seed); err != nil {
		return err
	}
	if m, ok := op.(degrade.Masker); ok {
		q.Mask = m.Mask(q.X0.H, q.X0.W, seed)
		if s.opt.Fill == bridge.FillHarmonic {
			bridge.FillSmooth(q.X1, q.Mask)
		} else {
			bridge.FillHole(q.X1, q.Mask, noise)
		}
	}
	return nil
}

// condition keeps x1 as it is for the network and adds noise to what the bridge
// starts from.
func (s *Set) condition(q *Sample, noise bridge.Noise) {
	q.Cond = q.X1
	if s.opt.AddNoise {
		q.X1 = q.X1.Clone()
		bridge.AddNoise(q.X1, noise)
	}
}

// Bad is how many files turned out unreadable.
func (s *Set) Bad() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bad)
}

func (s *Set) isBad(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad[name]
}

// mark remembers a file that cannot be read.
func (s *Set) mark(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.bad[name] {
		s.bad[name] = true
		s.opt.Bad(name, err)
	}
}

// exhausted tells whether no item of a choice can be read.
func (s *Set) exhausted(c *choice) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(c.items, func(i int) bool { return !s.bad[s.items[i].Name] })
}
