package verify

import (
	"path/filepath"
	"strings"
	"testing"
)

// The browser's WebGPU, as TestFixtures; natively the are
// run by gpu's own tests.
func TestGPU(t *testing.T) {
	if err := (Options{Device: "gpu"}).Check(); err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob("testdata/*.safetensors")
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".safetensors")
		t.Run(name, func(t *testing.T) { check(t, complete(t, path), "gpu") })
	}
}
