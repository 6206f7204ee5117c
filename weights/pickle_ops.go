package weights

import (
	"fmt"
	"strconv"
)

// container executes the opcodes of lists, tuples, dicts and sets.
func (u *unpickler) container(op byte) error {
	switch op {
	case ']', 0x8f:
		return u.push(&list{})
	case ')':
		return u.push(tuple{})
	case '}':
		return u.push(&dict{})
	case 0x85, 0x86, 0x87:
		n := int(op) - 0x84
		if len(u.stack) < n {
			return errUnderflow
		}
		t := append(tuple(nil), u.stack[len(u.stack)-n:]...)
		u.stack = u.stack[:len(u.stack)-n]
		return u.push(t)
	case 'a':
		v, err := u.pop()
		if err != nil {
			return err
		}
		return u.extend([]any{v})
	case 's':
		v, err := u.pop()
		if err != nil {
			return err
		}
		k, err := u.pop()
		if err != nil {
			return err
		}
		return u.setItems([]any{k, v})
	}
	items, err := u.popMark()
	if err != nil {
		return err
	}
	switch op {
	case 't':
		return u.push(tuple(items))
	case 'l', 0x91:
		return u.push(&list{items})
	case 'e', 0x90:
		return u.extend(items)
	case 'u':
		return u.setItems(items)
	}
	if err := u.push(&dict{}); err != nil { // 'd'
		return err
	}
	return u.setItems(items)
}

func (u *unpickler) extend(items []any) error {
	v, err := u.top()
	if err != nil {
		return err
	}
	l, ok := v.(*list)
	if !ok {
		return fmt.Errorf("pickle: items for something that is no list")
	}
	l.items = append(l.items, items...)
	return nil
}

func (u *unpickler) setItems(items []any) error {
	v, err := u.top()
	if err != nil {
		return err
	}
	d, ok := v.(*dict)
	if !ok || len(items)%2 != 0 {
		return fmt.Errorf("pickle: items for something that is no dict")
	}
	for i := 0; i < len(items); i += 2 {
		d.set(items[i], items[i+1])
	}
	return nil
}

// remember executes the opcodes of the memo.
func (u *unpickler) remember(op byte) error {
	key := len(u.memo)
	if width, ok := map[byte]int64{'h': 1, 'q': 1, 'j': 4, 'r': 4}[op]; ok {
		n, err := u.uint(width)
		if err != nil {
			return err
		}
		key = int(n)
	} else if op != 0x94 {
		s, err := u.line()
		if err != nil {
			return err
		}
		if key, err = strconv.Atoi(s); err != nil {
			return fmt.Errorf("pickle: memo %q", s)
		}
	}
	switch op {
	case 'g', 'h', 'j':
		v, ok := u.memo[key]
		if !ok {
			return fmt.Errorf("pickle: memo %d is empty", key)
		}
		return u.push(v)
	}
	v, err := u.top()
	if err != nil {
		return err
	}
	u.memo[key] = v
	return u.item()
}

// build executes the opcodes that name classes and make their instances.
func (u *unpickler) build(op byte) error {
	switch op {
	case 'c':
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		if err != nil {
			return err
		}
		return u.global(module, name)
	case 0x93:
		name, err := u.pop()
		if err != nil {
			return err
		}
		module, err := u.pop()
		if err != nil {
			return err
		}
		m, ok1 := module.(string)
		n, ok2 := name.(string)
		if !ok1 || !ok2 {
			return fmt.Errorf("pickle: a global without a name")
		}
		return u.global(m, n)
	case 'Q':
		id, err := u.pop()
		if err != nil {
			return err
		}
		v, err := u.persist(id)
		if err != nil {
			return err
		}
		return u.push(v)
	case 'b':
		state, err := u.pop()
		if err != nil {
			return err
		}
		v, err := u.top()
		if err != nil {
			return err
		}
		if o, ok := v.(*object); ok {
			o.state = state
		}
		return nil // attributes of dicts and tensors hold nothing of use
	}
	if op == 0x92 { // NEWOBJ_EX: keyword arguments
		if _, err := u.pop(); err != nil {
			return err
		}
	}
	args, err := u.pop()
	if err != nil {
		return err
	}
	f, err := u.pop()
	if err != nil {
		return err
	}
	g, ok1 := f.(*global)
	a, ok2 := args.(tuple)
	if !ok1 || !ok2 || g.call == nil {
		return fmt.Errorf("pickle: it calls something that makes no tensor; refused")
	}
	v, err := g.call(a)
	if err != nil {
		return err
	}
	return u.push(v)
}

func (u *unpickler) global(module, name string) error {
	g, err := u.globals(module, name)
	if err != nil {
		return err
	}
	return u.push(g)
}
