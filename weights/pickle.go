package weights

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// The pickle machine below makes plain values only: nil, bool, int64, float64,
// string, []byte, tuple, *list, *dict, and what the table of known globals
// returns. It never runs code: a global that is not in the table ends the
// reading with an error that names it.

type (
	tuple []any
	list  struct{ items []any }
	dict  struct {
		keys   []any
		values []any
		byName map[string]int
	}
	// global is a name that the pickle refers to, with what calling it makes.
	global struct {
		name string
		call func(args tuple) (any, error)
	}
	// object is an instance of a class without tensors: its state is data.
	object struct {
		class string
		state any
	}
	mark struct{}
)

func (d *dict) set(k, v any) {
	if s, ok := k.(string); ok {
		if i, ok := d.byName[s]; ok {
			d.values[i] = v
			return
		}
		if d.byName == nil {
			d.byName = map[string]int{}
		}
		d.byName[s] = len(d.keys)
	}
	d.keys, d.values = append(d.keys, k), append(d.values, v)
}

func (d *dict) get(name string) (any, bool) {
	i, ok := d.byName[name]
	if !ok {
		return nil, false
	}
	return d.values[i], true
}

// Limits of a pickle: far above any checkpoint of a network. An item is what is
// pushed on the stack or remembered; each takes memory, and a hostile one has no
// more than a byte, so there may be one for so many bytes of the whole file.
const (
	maxPickleString = 16 << 20
	pickleItems     = 1 << 16 // in any file
	bytesOfAnItem   = 16      // of the file, for each more
)

type unpickler struct {
	r       *bufio.Reader
	left    int64 // bytes that may still be read
	stack   []any
	memo    map[int]any
	items   int64 // that may still be made
	globals func(module, name string) (*global, error)
	persist func(id any) (any, error)
}

// unpickle reads one pickle of at most size bytes in a file of fileSize, and
// returns its value and how many bytes it took.
func unpickle(r io.Reader, size, fileSize int64, globals func(module, name string) (*global, error), persist func(any) (any, error)) (v any, n int64, err error) {
	u := &unpickler{r: bufio.NewReader(r), left: size, memo: map[int]any{}, items: pickleItems + fileSize/bytesOfAnItem, globals: globals, persist: persist}
	v, err = u.run()
	return v, size - u.left, err
}

func (u *unpickler) bytes(n int64) ([]byte, error) {
	if n < 0 || n > u.left || n > maxPickleString {
		return nil, fmt.Errorf("pickle: a string of %d bytes does not fit; is the file cut off?", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(u.r, b); err != nil {
		return nil, fmt.Errorf("pickle: %w", err)
	}
	u.left -= n
	return b, nil
}

func (u *unpickler) uint(n int64) (uint64, error) {
	b, err := u.bytes(n)
	if err != nil {
		return 0, err
	}
	var w [8]byte
	copy(w[:], b)
	return binary.LittleEndian.Uint64(w[:]), nil
}

func (u *unpickler) line() (string, error) {
	var b []byte
	for {
		c, err := u.bytes(1)
		if err != nil {
			return "", err
		}
		if c[0] == '\n' {
			return strings.TrimSuffix(string(b), "\r"), nil
		}
		if b = append(b, c[0]); len(b) > 4096 {
			return "", fmt.Errorf("pickle: a line is too long")
		}
	}
}

func (u *unpickler) push(v any) error {
	u.stack = append(u.stack, v)
	return u.item()
}

// item counts an item.
func (u *unpickler) item() error {
	if u.items--; u.items < 0 {
		return fmt.Errorf("pickle: more items than a file of this size can have use for; it is damaged or hostile")
	}
	return nil
}

var errUnderflow = fmt.Errorf("pickle: the stack is empty; the file is damaged")

func (u *unpickler) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, errUnderflow
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errUnderflow
	}
	return v, nil
}

// popMark takes everything down to the last mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(mark); ok {
			items := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, errUnderflow
}

func (u *unpickler) top() (any, error) {
	if len(u.stack) == 0 {
		return nil, errUnderflow
	}
	return u.stack[len(u.stack)-1], nil
}

func (u *unpickler) run() (any, error) {
	for {
		op, err := u.bytes(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return u.pop()
		}
		if err := u.step(op[0]); err != nil {
			return nil, err
		}
	}
}

// sized gives the opcodes of counted strings the width of their count.
var sized = map[byte]struct {
	width int64
	bytes bool
}{'U': {1, false}, 'T': {4, false}, 'X': {4, false}, 0x8c: {1, false}, 0x8d: {8, false}, 'C': {1, true}, 'B': {4, true}, 0x8e: {8, true}}

// step executes one opcode.
func (u *unpickler) step(op byte) error {
	if s, ok := sized[op]; ok {
		n, err := u.uint(s.width)
		if err != nil || n > maxPickleString {
			return fmt.Errorf("pickle: a string of %d bytes", n)
		}
		b, err := u.bytes(int64(n))
		if err != nil {
			return err
		}
		if s.bytes {
			return u.push(b)
		}
		return u.push(string(b))
	}
	switch op {
	case 0x80: // PROTO
		_, err := u.bytes(1)
		return err
	case 0x95: // FRAME
		_, err := u.bytes(8)
		return err
	case '(':
		return u.push(mark{})
	case '0':
		_, err := u.pop()
		return err
	case '1':
		_, err := u.popMark()
		return err
	case '2':
		v, err := u.top()
		if err != nil {
			return err
		}
		return u.push(v)
	case 'N':
		return u.push(nil)
	case 0x88, 0x89:
		return u.push(op == 0x88)
	case 'J', 'K', 'M', 'I', 'L', 0x8a, 0x8b, 'F', 'G':
		v, err := u.number(op)
		if err != nil {
			return err
		}
		return u.push(v)
	case 'V':
		s, err := u.line()
		if err != nil {
			return err
		}
		return u.push(s)
	case ']', ')', '}', 'l', 't', 'd', 0x85, 0x86, 0x87, 'a', 'e', 's', 'u', 0x8f, 0x90, 0x91:
		return u.container(op)
	case 'g', 'h', 'j', 'p', 'q', 'r', 0x94:
		return u.remember(op)
	case 'c', 0x93, 'R', 0x81, 0x92, 'b', 'Q':
		return u.build(op)
	}
	return fmt.Errorf("pickle: opcode %#x is not needed for tensors and is refused", op)
}

func (u *unpickler) number(op byte) (any, error) {
	switch op {
	case 'J':
		n, err := u.uint(4)
		return int64(int32(n)), err
	case 'K':
		n, err := u.uint(1)
		return int64(n), err
	case 'M':
		n, err := u.uint(2)
		return int64(n), err
	case 'I', 'L':
		s, err := u.line()
		if err != nil {
			return nil, err
		}
		switch s {
		case "00":
			return false, nil
		case "01":
			return true, nil
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(s, "L"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("pickle: %q is no number", s)
		}
		return n, nil
	case 'F':
		s, err := u.line()
		if err != nil {
			return nil, err
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("pickle: %q is no number", s)
		}
		return f, nil
	case 'G':
		b, err := u.bytes(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	}
	width := int64(1)
	if op == 0x8b {
		width = 4
	}
	n, err := u.uint(width)
	if err != nil || n > 64 {
		return nil, fmt.Errorf("pickle: an integer of %d bytes", n)
	}
	b, err := u.bytes(int64(n))
	if err != nil {
		return nil, err
	}
	if n <= 8 { // two's complement, little-endian
		var w [8]byte
		copy(w[:], b)
		if n > 0 && b[n-1] >= 0x80 {
			for i := n; i < 8; i++ {
				w[i] = 0xff
			}
		}
		return int64(binary.LittleEndian.Uint64(w[:])), nil
	}
	for i := range len(b) / 2 {
		b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
	}
	return new(big.Int).SetBytes(b).String(), nil // only PyTorch's magic number is that long
}
