// Package export writes a network for other runtimes, so that they can be
// compared with this one on the same work.
package export

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/i2sb-go/i2sb/runtime/bench"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// The files of an export.
const (
	weightsFile = "weights.safetensors"
	graphFile   = "model.onnx"
	networkFile = "network.json"
	pictureFile = "x.f32"
	levelFile   = "t.f32"
)

// Write writes into an existing folder: the weights in float32 as safetensors
// (weights.safetensors, several GB for ADM-256); the network for pictures of
// o.W×o.H as an ONNX graph whose initializers lie in that file (model.onnx:
// inputs x, 1×Cin×H×W, and t, the noise level's embedding, output y); its
// configuration (network.json); and bench.Input's picture and embedding as
// float32 (x.f32, t.f32). Networks with class labels are refused.
func Write(dir string, o bench.Options) error {
	p, err := unet.BuildUnfused(o.Network, 1, o.H, o.W)
	if err != nil {
		return err
	}
	src := o.Weights
	if src == nil {
		if src, err = bench.Random(o.Network); err != nil {
			return err
		}
	}
	x, t, err := bench.Input(o.Network, o.W, o.H)
	if err != nil {
		return err
	}
	network, err := json.MarshalIndent(o.Network, "", "  ")
	if err != nil {
		return err
	}
	layout := newLayout(p)
	m, err := model(p, layout.place)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{graphFile: m, networkFile: network, pictureFile: float32s(x), levelFile: float32s(t)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			return err
		}
	}
	return layout.write(filepath.Join(dir, weightsFile), p, src)
}

// layout is where the weights lie in the safetensors file.
type layout struct {
	header  []byte
	offsets map[string][2]int64 // of the first byte and of the end, in the data
}

func newLayout(p *plan.Plan) *layout {
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	l := &layout{offsets: map[string][2]int64{}}
	entries := map[string]entry{}
	at := int64(0)
	for _, w := range p.Params {
		e := entry{"F32", w.Shape, [2]int64{at, at + 4*int64(w.Len())}}
		entries[w.Name], l.offsets[w.Name] = e, e.Offsets
		at = e.Offsets[1]
	}
	l.header, _ = json.Marshal(entries) // strings and numbers always can
	for (8+len(l.header))%64 != 0 {
		l.header = append(l.header, ' ')
	}
	return l
}

func (l *layout) place(name string) (offset, bytes int64) {
	o := l.offsets[name]
	return 8 + int64(len(l.header)) + o[0], o[1] - o[0]
}

// write holds one tensor in memory at a time.
func (l *layout) write(path string, p *plan.Plan, src weights.Source) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(l.header))))
	w.Write(l.header)
	for _, t := range p.Params {
		v := make([]float32, t.Len())
		if err := src.ReadF32(t.Name, v); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		w.Write(float32s(v))
	}
	return w.Flush() // tells of the first write that failed
}
