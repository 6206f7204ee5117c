// Package checkpoint keeps the whole state of a training in one safetensors
// file: under their own names the tensors of the moving average, which is what
// other programs want, then with a prefix the weights and AdamW's moments, all in
// float32; and in the metadata the recipe, where training has got to, and the
// header of the pack that would come of it.
package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/weights"
)

// format is the value of the key "format" in the metadata.
const format = "i2sb training 1"

// prefixes of the sets beside the moving average.
const (
	prefixWeights = "weights."
	prefixMoment1 = "moment1."
	prefixMoment2 = "moment2."
)

// State is where a training has got to. With the recipe's seed, Position is all
// that the random numbers and the order of the data follow from.
type State struct {
	Steps    int      `json:"steps"`
	Position uint64   `json:"position"` // of the next step's data: Steps, and those that were left out
	Images   int64    `json:"images"`   // crops seen
	Seconds  float64  `json:"seconds"`  // of training
	Best     float64  `json:"best"`     // gain in dB over the degraded pictures at BestStep
	BestStep int      `json:"best_step,omitempty"`
	Changes  []string `json:"changes,omitempty"` // of the recipe, when it was resumed
}

// Sets are the tensors of a checkpoint, in the order of the network.
type Sets struct{ Average, Weights, Moment1, Moment2 weights.Source }

// Checkpoint is an opened file.
type Checkpoint struct {
	State  State
	Recipe recipe.Recipe
	Header weights.Header // of the pack: network, bridge, tasks, provenance, figures
	Sets
	file *os.File
}

// ErrOther says that a safetensors file is no checkpoint of this program.
var ErrOther = errors.New("this is no checkpoint of train")

// Open reads a checkpoint's metadata; tensors are read when they are asked for.
// The file may be replaced or removed meanwhile.
func Open(path string) (*Checkpoint, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c, err := Read(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Read is Open of a file that is open; Close then closes it.
func Read(f *os.File) (*Checkpoint, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	s, err := weights.OpenSafetensors(f, info.Size())
	if err != nil {
		return nil, err
	}
	m := s.Metadata()
	if m["format"] != format {
		return nil, ErrOther
	}
	c := &Checkpoint{file: f}
	if err := json.Unmarshal([]byte(m["state"]), &c.State); err != nil {
		return nil, fmt.Errorf("its state is damaged: %w", err)
	}
	if err := json.Unmarshal([]byte(m["header"]), &c.Header); err != nil {
		return nil, fmt.Errorf("its header is damaged: %w", err)
	}
	if err := c.Recipe.Read(m["recipe"]); err != nil {
		return nil, fmt.Errorf("its recipe is damaged: %w", err)
	}
	part := func(prefix string) weights.Source { return newPart(s, prefix) }
	c.Sets = Sets{part(""), part(prefixWeights), part(prefixMoment1), part(prefixMoment2)}
	return c, nil
}

// Close closes the file.
func (c *Checkpoint) Close() error { return c.file.Close() }

// part is one of a file's sets under the network's own names.
type part struct {
	*weights.Safetensors
	prefix string
	list   []weights.Info
}

func newPart(s *weights.Safetensors, prefix string) *part {
	p := &part{Safetensors: s, prefix: prefix}
	for _, t := range s.Tensors() {
		name, ok := strings.CutPrefix(t.Name, prefix)
		if prefix == "" {
			ok = !strings.HasPrefix(t.Name, prefixWeights) && !strings.HasPrefix(t.Name, prefixMoment1) && !strings.HasPrefix(t.Name, prefixMoment2)
		}
		if ok {
			t.Name = name
			p.list = append(p.list, t)
		}
	}
	return p
}

func (p *part) Tensors() []weights.Info { return p.list }

// ReadF32 implements weights.Source.
func (p *part) ReadF32(name string, dst []float32) error {
	return p.Safetensors.ReadF32(p.prefix+name, dst)
}
