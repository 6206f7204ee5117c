package kernels

import "slices"

// heap keeps account of the free parts of a memory, first fit.
type heap struct {
	free []part // in order of address, never adjacent
	end  int64
}

type part struct{ at, size int64 }

const line = 64 // bytes of a cache line

func lines(bytes int64) int64 { return (bytes + line - 1) / line * line }

// take returns the address of a free part of at least bytes.
func (h *heap) take(bytes int64) (int64, bool) {
	bytes = lines(bytes)
	for i := range h.free {
		f := &h.free[i]
		if f.size < bytes {
			continue
		}
		at := f.at
		f.at, f.size = f.at+bytes, f.size-bytes
		if f.size == 0 {
			h.free = slices.Delete(h.free, i, i+1)
		}
		return at, true
	}
	return 0, false
}

// add gives a part back, or a new one, and joins it with its neighbours.
func (h *heap) add(at, bytes int64) {
	bytes = lines(bytes)
	i, _ := slices.BinarySearchFunc(h.free, at, func(f part, at int64) int {
		if f.at < at {
			return -1
		}
		return 1
	})
	h.free = slices.Insert(h.free, i, part{at, bytes})
	if i+1 < len(h.free) && h.free[i].at+h.free[i].size == h.free[i+1].at {
		h.free[i].size += h.free[i+1].size
		h.free = slices.Delete(h.free, i+1, i+2)
	}
	if i > 0 && h.free[i-1].at+h.free[i-1].size == h.free[i].at {
		h.free[i-1].size += h.free[i].size
		h.free = slices.Delete(h.free, i, i+1)
	}
}
