package initial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/i2sb-go/i2sb/train/checkpoint"
	"github.com/i2sb-go/i2sb/weights"
)

// Origin is a file of weights that is open.
type Origin struct {
	weights.Source
	Header weights.Header // what the file, or the options beside it, say of the network and its bridge
	File   *os.File
	Plain  bool // its moving average was wanted, and it has none
}

// Open finds out what a file is and opens it: a pack, a checkpoint of train, one
// of PyTorch, or safetensors. net takes the plain weights in place of their
// moving average. options names the file that describes a network which its own
// file does not; "" is options.json or options.pkl beside it, and without those
// it is taken for ADM-256, as in every official checkpoint.
func Open(path string, net bool, options string) (*Origin, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	o := &Origin{File: f}
	if err := o.open(path, net, options); err != nil {
		f.Close()
		return nil, err
	}
	return o, nil
}

// Close closes the file.
func (o *Origin) Close() error {
	err := o.Source.Close()
	if e := o.File.Close(); err == nil {
		err = e
	}
	return err
}

func (o *Origin) open(path string, net bool, options string) error {
	info, err := o.File.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	start := make([]byte, 16)
	n, _ := o.File.ReadAt(start, 0)
	start = start[:n]
	switch {
	case weights.IsPack(start):
		pack, err := weights.OpenPack(o.File, info.Size())
		if err != nil {
			return err
		}
		o.Source, o.Header = pack, pack.Header()
		return nil
	case weights.IsSafetensors(start, info.Size()):
		ours, e := checkpoint.Read(o.File)
		if e == nil {
			o.Source, o.Header = ours.Average, ours.Header
			if net {
				o.Source = ours.Weights
			}
			return nil
		}
		if !errors.Is(e, checkpoint.ErrOther) {
			return e
		}
		o.Source, err = weights.OpenSafetensors(o.File, info.Size())
	case n >= 2 && (string(start[:2]) == "PK" || start[0] == 0x80):
		var c *weights.Checkpoint
		if c, err = weights.OpenCheckpoint(o.File, info.Size(), net); err == nil {
			o.Source, o.Plain = c, !net && !c.EMA
		}
	case n > 8 && start[8] == '{': // its reader says what is missing
		_, err = weights.OpenSafetensors(o.File, info.Size())
	default:
		err = errors.New("neither a pack, a checkpoint of train or PyTorch, nor a safetensors file")
	}
	if err != nil {
		return err
	}
	s, err := sidecar(path, options)
	if err != nil {
		return err
	}
	o.Header = weights.Header{Network: weights.ADM256(s.Bridge.CondX1), Bridge: s.Bridge, Tasks: s.TaskList()}
	if s.Network != nil {
		o.Header.Network = *s.Network
	}
	return nil
}

// sidecar reads the options beside a checkpoint; without them the reference's
// defaults hold.
func sidecar(path, options string) (weights.Options, error) {
	names := []string{options}
	if options == "" {
		dir := filepath.Dir(path)
		names = []string{filepath.Join(dir, "options.json"), filepath.Join(dir, "options.pkl")}
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if options == "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return weights.Options{}, err
		}
		o, err := weights.ReadOptions(b)
		if err != nil {
			return weights.Options{}, fmt.Errorf("%s: %w", name, err)
		}
		return o, nil
	}
	return weights.ReadOptions([]byte("{}"))
}
