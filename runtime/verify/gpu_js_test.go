package verify

import "testing"

// The browser's WebGPU; natively the fixtures are run by gpu's own tests.
func TestGPU(t *testing.T) {
	if err := (Options{Device: "gpu"}).Check(); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{"unet-tiny"} {
		t.Run(name, func(t *testing.T) { check(t, "testdata/"+name+".safetensors", "gpu") })
	}
}
