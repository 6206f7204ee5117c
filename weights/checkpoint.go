package weights

import (
	"fmt"
	"io"
	"strings"
)

// prefix is what the official checkpoints put before every name of `net`.
const prefix = "diffusion_model."

// Checkpoint is an opened PyTorch checkpoint as a source of tensors with the
// network's own names.
type Checkpoint struct {
	index
	f       *torchFile
	tensors []*tensor
	EMA     bool // the exponential moving average was taken
}

// OpenCheckpoint reads a .pt file of size bytes, zip or pre-1.6: the official
// I²SB layout (net, ema, …) or a plain state dict. It takes the EMA weights if
// there are any, the plain ones with net. r must stay usable until the last
// read. Nothing in the file is run.
func OpenCheckpoint(r io.ReaderAt, size int64, net bool) (*Checkpoint, error) {
	f, err := openTorch(r, size)
	if err != nil {
		return nil, err
	}
	root, ok := f.root.(*dict)
	if !ok {
		return nil, fmt.Errorf("checkpoint: it holds no state dict")
	}
	c := &Checkpoint{f: f}
	state := root
	if v, ok := root.get("net"); ok {
		if state, ok = v.(*dict); !ok {
			return nil, fmt.Errorf("checkpoint: its `net` is no state dict")
		}
	}
	var infos []Info
	for i, k := range state.keys {
		name, ok1 := k.(string)
		t, ok2 := state.values[i].(*tensor)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("checkpoint: entry %v of the state dict is no tensor", k)
		}
		infos = append(infos, Info{strings.TrimPrefix(name, prefix), t.shape, t.s.dtype})
		c.tensors = append(c.tensors, t)
	}
	if len(infos) == 0 {
		return nil, fmt.Errorf("checkpoint: the state dict is empty")
	}
	if v, ok := root.get("ema"); ok && !net {
		if err := c.ema(v, infos); err != nil {
			return nil, err
		}
	}
	if err := bounded(infos, size); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	c.index, err = newIndex(infos)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return c, nil
}

// bounded holds what all tensors come to against the size of the file: several
// may lie in one storage, as tied weights do, but not all of them.
func bounded(infos []Info, size int64) error {
	const most = 8 // float32 of bytes are 4, and each may be there twice
	left := most*size/4 + 1<<16
	for _, t := range infos {
		if left -= int64(t.Len()); left < 0 {
			return fmt.Errorf("its tensors claim more than %d times the bytes of the file", most)
		}
	}
	return nil
}

// ema replaces the tensors by the shadow list, which is in parameter order
// and has no names.
func (c *Checkpoint) ema(v any, infos []Info) error {
	d, ok := v.(*dict)
	if !ok {
		return fmt.Errorf("checkpoint: its `ema` is malformed; --net takes the plain weights")
	}
	s, _ := d.get("shadow_params")
	shadow, ok := s.(*list)
	if !ok || len(shadow.items) != len(infos) {
		return fmt.Errorf("checkpoint: its `ema` has not as many tensors as its `net`; --net takes the plain weights")
	}
	for i, item := range shadow.items {
		t, ok := item.(*tensor)
		if !ok || fmt.Sprint(t.shape) != fmt.Sprint(infos[i].Shape) {
			return fmt.Errorf("checkpoint: tensor %d of its `ema` does not fit %s %v; --net takes the plain weights", i, infos[i].Name, infos[i].Shape)
		}
		c.tensors[i] = t
		infos[i].DType = t.s.dtype
	}
	c.EMA = true
	return nil
}

// ReadF32 implements Source.
func (c *Checkpoint) ReadF32(name string, dst []float32) error {
	i, err := c.find(name, len(dst))
	if err != nil {
		return err
	}
	return c.f.readF32(c.tensors[i], dst)
}

// Close implements Source; the reader is the caller's.
func (c *Checkpoint) Close() error { return nil }

// CutVariance drops the variance outputs of an original ADM network (six
// output channels, the last three of them variances): it becomes one of three
// outputs. Other sources are returned as they are.
func CutVariance(src Source) Source {
	for _, t := range src.Tensors() {
		if t.Name == "out.2.weight" && len(t.Shape) == 4 && t.Shape[0] == 6 {
			return &cut{src}
		}
	}
	return src
}

type cut struct{ Source }

func cutTensor(name string) bool { return name == "out.2.weight" || name == "out.2.bias" }

func (c *cut) Tensors() []Info {
	list := c.Source.Tensors()
	for i, t := range list {
		if cutTensor(t.Name) {
			list[i].Shape = append([]int{t.Shape[0] / 2}, t.Shape[1:]...)
		}
	}
	return list
}

func (c *cut) ReadF32(name string, dst []float32) error {
	if !cutTensor(name) {
		return c.Source.ReadF32(name, dst)
	}
	all := make([]float32, 2*len(dst))
	if err := c.Source.ReadF32(name, all); err != nil {
		return err
	}
	copy(dst, all)
	return nil
}
