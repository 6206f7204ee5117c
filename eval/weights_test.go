package eval

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/cnn"
	"github.com/i2sb-go/i2sb/weights"
)

// TestNetIDs: equal files have one ID, others another.
func TestNetIDs(t *testing.T) {
	dir := t.TempDir()
	id := func(name string, value float32) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		err = weights.WriteSafetensors(f, nil, []weights.Info{{Name: "w", Shape: []int{2}}}, func(_ int, dst []float32) error {
			dst[0], dst[1] = 1, value
			return nil
		})
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		read := func(src weights.Source) (*cnn.Network, error) {
			v := make([]float32, 2)
			if err := src.ReadF32("w", v); err != nil || v[1] != value {
				t.Errorf("%v, %v", v, err)
			}
			return &cnn.Network{}, nil
		}
		n, err := open(path, read, func(x *bridge.Image) *bridge.Image { return x })
		if err != nil {
			t.Fatal(err)
		}
		return n.ID
	}
	a, b, c := id("a.safetensors", 3), id("b.safetensors", 3), id("c.safetensors", 4)
	if a != b || a == c || a == "" {
		t.Errorf("%q, %q and %q", a, b, c)
	}
	if err := os.WriteFile(filepath.Join(dir, "short"), []byte("P"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ResNet50(filepath.Join(dir, "short")); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a file of one byte: %v", err)
	}
}
