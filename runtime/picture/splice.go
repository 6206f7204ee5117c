package picture

import "io"

// splice passes on what an encoder writes, but for its first at bytes: put
// makes of them what is written in their place. So nothing is held twice.
type splice struct {
	w    io.Writer
	at   int
	put  func(head []byte) []byte
	head []byte
	done bool
}

func (s *splice) Write(b []byte) (int, error) {
	n := len(b)
	if !s.done {
		take := min(s.at-len(s.head), len(b))
		s.head, b = append(s.head, b[:take]...), b[take:]
		if len(s.head) < s.at {
			return n, nil
		}
		s.done = true
		if _, err := s.w.Write(s.put(s.head)); err != nil {
			return 0, err
		}
	}
	if _, err := s.w.Write(b); err != nil {
		return 0, err
	}
	return n, nil
}
