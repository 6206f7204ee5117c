package degrade

import "math/bits"

// order sorts indices so that their keys fall. Equal keys keep no particular
// order, but which one they get decides what an official blur does to a
// picture: it is that of the C++ library's introspective sort (Musser 1997:
// median-of-three quicksort down to runs of sixteen, then insertion), because
// that is what the reference's numbers were made with.
func order(keys []float32) []int32 {
	s := sorter{keys: keys, at: make([]int32, len(keys))}
	for i := range s.at {
		s.at[i] = int32(i)
	}
	s.quick(0, len(keys), 2*bits.Len(uint(max(1, len(keys)))))
	s.insert(0, min(len(keys), runLength))
	for i := runLength; i < len(keys); i++ {
		s.sink(i)
	}
	return s.at
}

const runLength = 16

type sorter struct {
	keys []float32
	at   []int32
}

// before tells whether element i of the order belongs before element j.
func (s *sorter) before(i, j int) bool { return s.keys[s.at[i]] > s.keys[s.at[j]] }
func (s *sorter) swap(i, j int)        { s.at[i], s.at[j] = s.at[j], s.at[i] }

func (s *sorter) quick(first, last, depth int) {
	for last-first > runLength && depth > 0 {
		depth--
		s.median(first, first+1, first+(last-first)/2, last-1)
		i, j := first+1, last
		for {
			for s.before(i, first) {
				i++
			}
			j--
			for s.before(first, j) {
				j--
			}
			if i >= j {
				break
			}
			s.swap(i, j)
			i++
		}
		s.quick(i, last, depth)
		last = i
	}
	if last-first > runLength { // too deep: the insertions that follow sort it
		s.insert(first, last)
	}
}

// median puts the median of three at to.
func (s *sorter) median(to, a, b, c int) {
	m := b
	if s.before(a, b) {
		if !s.before(b, c) {
			if m = a; s.before(a, c) {
				m = c
			}
		}
	} else if s.before(a, c) {
		m = a
	} else if s.before(b, c) {
		m = c
	}
	s.swap(to, m)
}

func (s *sorter) insert(first, last int) {
	for i := first + 1; i < last; i++ {
		if s.before(i, first) {
			v := s.at[i]
			copy(s.at[first+1:i+1], s.at[first:i])
			s.at[first] = v
		} else {
			s.sink(i)
		}
	}
}

// sink moves element i forward to behind the last that does not follow it.
func (s *sorter) sink(i int) {
	v := s.at[i]
	for ; i > 0 && s.keys[v] > s.keys[s.at[i-1]]; i-- {
		s.at[i] = s.at[i-1]
	}
	s.at[i] = v
}
