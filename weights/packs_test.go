package weights

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestPacks: what is shipped is whole, has at most 10 MB, and says what it is for and whose it is.
func TestPacks(t *testing.T) {
	files, err := filepath.Glob("pack*/*.i2sb")
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			p, err := OpenPack(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if err := p.Verify(); err != nil {
				t.Error(err)
			}
			if len(b) > 10e6 {
				t.Errorf("%d bytes", len(b))
			}
			h := p.Header()
			if h.Licence != "CC-BY-SA-4.0" || h.Credits == "" || h.Provenance == "" || len(h.Tasks) == 0 || len(h.Metrics) == 0 {
				t.Errorf("its header does not say all: licence %q, credits %q, provenance %q, tasks %v, metrics %v", h.Licence, h.Credits, h.Provenance, h.Tasks, h.Metrics)
			}
		})
	}
}
