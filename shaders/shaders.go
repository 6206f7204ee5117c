// Package shaders holds the WGSL kernels, one a file, and makes the text of a
// variant: a file with its constants put in, its loops unrolled and its
// conditions decided. The directives, each on a line of its own, are
//
//	//# include FILE          the lines of FILE.wgsl
//	//# if EXPRESSION         … //# else … //# end
//	//# for NAME EXPRESSION   … //# end, for NAME = 0 up to the expression
//	//# bind read|write NAME TYPE   the next storage buffer
//	//# params NAME …         the uniforms: struct Params, variable p; f:NAME is a float
//
// and {{EXPRESSION}} anywhere else puts in a number. Expressions are of
// integers, constants and loop variables with the operators of Go; an unknown
// constant is an error, so that no variant is made by accident.
package shaders

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed *.wgsl
var files embed.FS

// Constants choose a variant of a kernel.
type Constants map[string]int

// Kernel is the text of a variant and what it takes.
type Kernel struct {
	Text     string
	Bindings []Binding // in the order of their numbers; the uniforms come last
	Params   []Param   // in the order of struct Params
}

// Binding is a storage buffer of a kernel. Buffers that are written, or lie in
// one buffer with those that are, are bound as read_write.
type Binding struct {
	Name  string
	Write bool
}

// Param is a uniform of 32 bits.
type Param struct {
	Name  string
	Float bool
}

// Make makes a variant of the kernel of a file.
func Make(file string, c Constants) (*Kernel, error) {
	lines, err := read(file)
	if err != nil {
		return nil, err
	}
	m := maker{scope: Constants{}}
	for k, v := range c {
		m.scope[k] = v
	}
	if err := m.block(lines); err != nil {
		return nil, fmt.Errorf("shaders: %s: %w", file, err)
	}
	m.kernel.Text = m.text.String()
	return &m.kernel, nil
}

// Version changes when any kernel does.
func Version() string { return version() }

var version = sync.OnceValue(func() string {
	h := sha256.New()
	entries, _ := files.ReadDir(".") // of an embedded folder: it is there, in the order of names
	for _, e := range entries {
		b, _ := files.ReadFile(e.Name())
		fmt.Fprintf(h, "%s %d\n%s", e.Name(), len(b), b)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
})

func read(file string) ([]string, error) {
	b, err := files.ReadFile(file + ".wgsl")
	if err != nil {
		return nil, fmt.Errorf("shaders: there is no kernel %q", file)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"), nil
}

type maker struct {
	scope  Constants
	text   strings.Builder
	kernel Kernel
}

// block writes lines, which hold whole loops and conditions.
func (m *maker) block(lines []string) error {
	for i := 0; i < len(lines); i++ {
		word, rest, ok := directive(lines[i])
		if !ok {
			if err := m.line(lines[i]); err != nil {
				return err
			}
			continue
		}
		switch word {
		case "include":
			included, err := read(rest)
			if err == nil {
				err = m.block(included)
			}
			if err != nil {
				return err
			}
		case "bind":
			if err := m.bind(rest); err != nil {
				return err
			}
		case "params":
			m.params(strings.Fields(rest))
		case "if", "for":
			other, end, err := span(lines, i)
			if err != nil {
				return err
			}
			if word == "if" {
				err = m.choose(rest, lines[i+1:other], lines[min(other+1, end):end])
			} else {
				err = m.loop(rest, lines[i+1:end])
			}
			if err != nil {
				return err
			}
			i = end
		default:
			return fmt.Errorf("%q is no directive here", word)
		}
	}
	return nil
}

func directive(line string) (word, rest string, ok bool) {
	line, ok = strings.CutPrefix(strings.TrimSpace(line), "//# ")
	word, rest, _ = strings.Cut(line, " ")
	return word, strings.TrimSpace(rest), ok
}

// span finds the else, if there is one, and the end of what begins at i.
func span(lines []string, i int) (other, end int, err error) {
	depth := 0
	for j := i; j < len(lines); j++ {
		switch word, _, ok := directive(lines[j]); {
		case !ok:
		case word == "if" || word == "for":
			depth++
		case word == "else" && depth == 1:
			other = j
		case word == "end":
			if depth--; depth == 0 {
				if other == 0 {
					other = j
				}
				return other, j, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("%q has no end", strings.TrimSpace(lines[i]))
}

func (m *maker) choose(condition string, then, other []string) error {
	v, err := evaluate(condition, m.scope)
	if err != nil {
		return err
	}
	if v != 0 {
		return m.block(then)
	}
	return m.block(other)
}

func (m *maker) loop(head string, body []string) error {
	name, count, _ := strings.Cut(head, " ")
	n, err := evaluate(count, m.scope)
	if err != nil {
		return err
	}
	if _, taken := m.scope[name]; taken {
		return fmt.Errorf("the loop variable %s has a value already", name)
	}
	defer delete(m.scope, name)
	for i := range n {
		m.scope[name] = i
		if err := m.block(body); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) bind(rest string) error {
	f := strings.SplitN(rest, " ", 3)
	if len(f) != 3 || (f[0] != "read" && f[0] != "write") {
		return fmt.Errorf("bind %s: it takes read or write, a name and a type", rest)
	}
	access := "read"
	if f[0] == "write" {
		access = "read_write"
	}
	n := len(m.kernel.Bindings)
	m.kernel.Bindings = append(m.kernel.Bindings, Binding{f[1], f[0] == "write"})
	return m.line(fmt.Sprintf("@group(0) @binding(%d) var<storage, %s> %s: %s;", n, access, f[1], f[2]))
}

// params is the last directive that takes a binding's number, so a kernel
// gives it after all of its buffers.
func (m *maker) params(names []string) {
	m.text.WriteString("struct Params {\n")
	for _, n := range names {
		n, float := strings.CutPrefix(n, "f:")
		m.kernel.Params = append(m.kernel.Params, Param{n, float})
		t := "u32"
		if float {
			t = "f32"
		}
		fmt.Fprintf(&m.text, "  %s: %s,\n", n, t)
	}
	fmt.Fprintf(&m.text, "}\n@group(0) @binding(%d) var<uniform> p: Params;\n", len(m.kernel.Bindings))
}

// line writes a line with its numbers put in.
func (m *maker) line(s string) error {
	for {
		before, rest, found := strings.Cut(s, "{{")
		m.text.WriteString(before)
		if !found {
			m.text.WriteByte('\n')
			return nil
		}
		expression, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return fmt.Errorf("{{ is not closed in %q", s)
		}
		v, err := evaluate(expression, m.scope)
		if err != nil {
			return err
		}
		fmt.Fprintf(&m.text, "%d", v)
		s = after
	}
}
