package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"math"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// restored is what the command makes of the photograph with I2SB_CPU set.
func restored(t *testing.T, dir, kernels, threads string) ([]byte, string, int) {
	t.Helper()
	t.Setenv("I2SB_CPU", kernels)
	var stdout, stderr bytes.Buffer
	args := []string{"restore", filepath.Join(dir, "photo.png"), "-o", "-", "--pack", filepath.Join(dir, "tiny.i2sb"),
		"--steps", "3", "--seed", "7", "--device", "cpu", "--threads", threads}
	code := run(context.Background(), args, nil, &stdout, &stderr)
	return stdout.Bytes(), stderr.String(), code
}

// TestEveryKernelSet restores with all sets of kernels that this machine has,
// the oldest among them: the same picture up to rounding, byte for byte for
// every number of threads.
func TestEveryKernelSet(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	dir := t.TempDir()
	if err := materials(dir, tinyPack(t)); err != nil {
		t.Fatal(err)
	}
	_, message, code := restored(t, dir, "nonsense", "1")
	list := regexp.MustCompile(`I2SB_CPU.*"nonsense"; there are (.*)`).FindStringSubmatch(message)
	if code == 0 || list == nil {
		t.Fatalf("kernels that do not exist: %d, %s", code, message)
	}
	names := strings.Split(list[1], ", ")
	if !slices.Contains(names, "wasm") {
		t.Errorf("no kernels for machines without a C compiler: %v", names)
	}
	if slices.Contains(names, "avx2") && !slices.Contains(names, "sse2") {
		t.Errorf("no kernels for old processors: %v", names)
	}
	var first image.Image
	for _, name := range names {
		one, message, code := restored(t, dir, name, "1")
		if code != 0 {
			t.Fatalf("%s: %s", name, message)
		}
		for _, threads := range []string{"2", "3", "4"} {
			if many, _, _ := restored(t, dir, name, threads); !bytes.Equal(one, many) {
				t.Errorf("%s: %s threads make another picture than one", name, threads)
			}
		}
		m, err := png.Decode(bytes.NewReader(one))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		} else if db := agreement(first, m); db < 60 {
			t.Errorf("%s and %s agree to %.1f dB only", names[0], name, db)
		}
	}
}

// agreement is the peak signal-to-noise ratio of two pictures.
func agreement(a, b image.Image) float64 {
	sum, n := 0.0, 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r0, g0, b0, _ := a.At(x, y).RGBA()
			r1, g1, b1, _ := b.At(x, y).RGBA()
			for _, d := range []float64{float64(r0) - float64(r1), float64(g0) - float64(g1), float64(b0) - float64(b1)} {
				sum += d * d
				n++
			}
		}
	}
	return 10 * math.Log10(0xffff*0xffff*float64(n)/sum)
}
