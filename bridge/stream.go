package bridge

import "math/rand/v2"

// drawStream keeps streams apart from every Draw.
const drawStream = 255

// NewStream is a source of random numbers for number index of whatever a seed
// makes: Philox4x32-10 with the seed as its key. Streams of different indices
// have nothing in common, and each begins at its start, so that whoever counts
// on where a long sequence had got to needs to remember the index alone.
func NewStream(seed, index uint64) rand.Source {
	return &stream{key: [2]uint32{uint32(seed), uint32(seed >> 32)}, index: index}
}

type stream struct {
	key   [2]uint32
	index uint64
	block uint32
	words [4]uint32
	left  int // words that were not given out
}

// Uint64 implements rand.Source.
func (s *stream) Uint64() uint64 {
	if s.left == 0 {
		s.words = philox4x32([4]uint32{uint32(s.index), uint32(s.index >> 32), s.block, drawStream << 24}, s.key)
		s.block++
		s.left = 4
	}
	s.left -= 2
	return uint64(s.words[s.left]) | uint64(s.words[s.left+1])<<32
}
