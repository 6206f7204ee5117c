package shaders

import (
	"fmt"
	"strconv"
	"strings"
)

// evaluate computes an integer expression; true is 1 and false is 0.
func evaluate(s string, scope Constants) (v int, err error) {
	e := expression{rest: s, scope: scope}
	defer func() {
		if r := recover(); r != nil {
			wrong, ok := r.(wrongExpression)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("expression %q: %s", s, string(wrong))
		}
	}()
	v = e.level(0)
	if e.space(); e.rest != "" {
		e.fail("%q is left over", e.rest)
	}
	return v, nil
}

type expression struct {
	rest  string
	scope Constants
}

type wrongExpression string

func (e *expression) fail(format string, args ...any) {
	panic(wrongExpression(fmt.Sprintf(format, args...)))
}

func (e *expression) space() { e.rest = strings.TrimLeft(e.rest, " ") }

// operators by level of precedence, longer ones before their beginnings.
var operators = [][]string{{"||"}, {"&&"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/", "%"}}

func (e *expression) level(l int) int {
	if l == len(operators) {
		return e.unary()
	}
	v := e.level(l + 1)
	for {
		op := e.operator(operators[l])
		if op == "" {
			return v
		}
		v = e.apply(op, v, e.level(l+1))
	}
}

func (e *expression) operator(of []string) string {
	e.space()
	for _, op := range of {
		if rest, ok := strings.CutPrefix(e.rest, op); ok {
			e.rest = rest
			return op
		}
	}
	return ""
}

func (e *expression) apply(op string, a, b int) int {
	switch op {
	case "||":
		return truth(a != 0 || b != 0)
	case "&&":
		return truth(a != 0 && b != 0)
	case "==":
		return truth(a == b)
	case "!=":
		return truth(a != b)
	case "<=":
		return truth(a <= b)
	case ">=":
		return truth(a >= b)
	case "<":
		return truth(a < b)
	case ">":
		return truth(a > b)
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	if b == 0 {
		e.fail("division by zero")
	}
	if op == "/" {
		return a / b
	}
	return a % b
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (e *expression) unary() int {
	switch e.operator([]string{"!", "-", "("}) {
	case "!":
		return truth(e.unary() == 0)
	case "-":
		return -e.unary()
	case "(":
		v := e.level(0)
		if e.operator([]string{")"}) == "" {
			e.fail("a bracket is not closed")
		}
		return v
	}
	n := 0
	for n < len(e.rest) && word(e.rest[n]) {
		n++
	}
	name := e.rest[:n]
	e.rest = e.rest[n:]
	if v, err := strconv.Atoi(name); err == nil {
		return v
	}
	v, ok := e.scope[name]
	if !ok {
		e.fail("%q has no value", name)
	}
	return v
}

func word(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
