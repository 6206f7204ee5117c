package verify

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// prefixed is the part of a source whose names begin with a prefix, without it.
type prefixed struct {
	weights.Source
	prefix string
	done   func()
}

func (p prefixed) Tensors() []weights.Info {
	var in []weights.Info
	for _, t := range p.Source.Tensors() {
		if name, ok := strings.CutPrefix(t.Name, p.prefix); ok {
			t.Name = name
			in = append(in, t)
		}
	}
	return in
}

func (p prefixed) ReadF32(name string, dst []float32) error {
	return p.Source.ReadF32(p.prefix+name, dst)
}

func (p prefixed) Close() error {
	if p.done != nil {
		p.done()
	}
	return nil
}

// params are the fixture's own weights.
func (f *fixture) params(prefix string) weights.Source { return prefixed{f.src, prefix, nil} }

// weights opens the weights that the metadata names: "FILE PREFIX*", a file
// beside the fixture, or "in this file".
func (j *job) weights() (weights.Source, error) {
	s, err := j.text("params", "in this file")
	if err != nil {
		return nil, err
	}
	if s == "in this file" {
		for _, prefix := range []string{"params.", "params0."} { // the second before training
			if j.anyPrefix(prefix) {
				return j.params(prefix), nil
			}
		}
		return nil, fmt.Errorf("the weights should be in this file, as params.* or params0.*; there are none")
	}
	file, pattern, _ := strings.Cut(s, " ")
	if pattern = strings.TrimSuffix(strings.TrimSpace(pattern), "*"); pattern == "" {
		pattern = "params."
	}
	if file != filepath.Base(file) || !filepath.IsLocal(file) {
		return nil, fmt.Errorf("the metadata names %q for the weights; it should be a file beside the fixture", file)
	}
	f, err := openFixture(filepath.Join(filepath.Dir(j.path), file))
	if err != nil {
		return nil, fmt.Errorf("the weights are in another file: %w", err)
	}
	return prefixed{f.src, pattern, f.close}, nil
}

// network is the configuration in the metadata. What it leaves open is taken
// from the shapes of the weights src, which must all be there.
func (f *fixture) network(src weights.Source) (weights.Network, error) {
	var n weights.Network
	s, err := f.text("config")
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal([]byte(s), &n); err != nil {
		return n, fmt.Errorf("the metadata's config: %w", err)
	}
	shapes := map[string][]int{}
	for _, t := range src.Tensors() {
		shapes[t.Name] = t.Shape
	}
	inferNetwork(&n, shapes)
	return n, checkWeights(n, shapes)
}

func inferNetwork(n *weights.Network, shapes map[string][]int) {
	if s := shapes["input_blocks.0.0.weight"]; n.InChannels == 0 && len(s) == 4 {
		n.InChannels = s[1]
	}
	if s := shapes["out.2.bias"]; n.OutChannels == 0 && len(s) == 1 {
		n.OutChannels = s[0]
	}
	if s := shapes["label_emb.weight"]; n.ClassCond && n.NumClasses == 0 && len(s) == 2 {
		n.NumClasses = s[0]
	}
}

// checkWeights compares the shapes of a network's weights with those at hand,
// before anything is allocated for them. Ones at the end do not count.
func checkWeights(n weights.Network, have map[string][]int) error {
	c, err := unet.Parse(n)
	if err != nil {
		return err
	}
	p, err := unet.BuildUnfused(n, 1, c.Multiple(), c.Multiple())
	if err != nil {
		return err
	}
	for _, w := range p.Params {
		s, ok := have[w.Name]
		if !ok {
			return fmt.Errorf("the parameter %s is missing", w.Name)
		}
		if !slices.Equal(trim(s), trim(w.Shape)) {
			return fmt.Errorf("the parameter %s is %v, the network of this configuration wants %v", w.Name, s, w.Shape)
		}
	}
	return nil
}
