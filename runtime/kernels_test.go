package runtime_test

import (
	"fmt"
	"os"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/metric"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
)

// every runs a test with each set of kernels that this machine has.
func every(t *testing.T, f func(t *testing.T)) {
	for _, name := range kernels.Names() {
		t.Run(name, func(t *testing.T) {
			t.Setenv(kernels.Variable, name)
			f(t)
		})
	}
}

func TestSameSeedSamePicture(t *testing.T) {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(4))
	x := noise(3, 24, 40)
	opts := []runtime.Option{runtime.WithSteps(3), runtime.WithSeed(7)}
	ref := restore(t, open(t, header(nil), runtime.WithDevice("ref")), x, opts...)
	every(t, func(t *testing.T) {
		var one *bridge.Image
		for threads := 1; threads <= 4; threads++ {
			m := open(t, header(nil), runtime.WithDevice("cpu"), runtime.WithThreads(threads))
			y := restore(t, m, x, opts...)
			if one == nil {
				one = y
				if equal(one, restore(t, m, x, runtime.WithSteps(3), runtime.WithSeed(8))) {
					t.Error("the seed changes nothing")
				}
			} else if !equal(one, y) {
				t.Errorf("one and %d threads differ", threads)
			}
		}
		if p, _ := metric.PSNR(one, ref); p < 60 {
			t.Errorf("it and ref agree to %.1f dB only", p)
		}
	})
}

// TestSoak restores again and again; goroutines, Go's heap and all memory of
// the process, which is also the kernels', must stay flat.
func TestSoak(t *testing.T) {
	n := 20
	if testing.Short() || raceDetector {
		n = 4
	}
	if long() {
		n = 1000
	}
	every(t, func(t *testing.T) {
		m := open(t, header(nil), runtime.WithDevice("cpu"))
		x := noise(3, 64, 64)
		var heap, all int64
		goroutines := 0
		for i := range n + 10 {
			restore(t, m, x, runtime.WithSteps(1), runtime.WithSeed(uint64(i)))
			if i == 9 {
				heap, all = memory()
				goroutines = goruntime.NumGoroutine()
			}
		}
		time.Sleep(10 * time.Millisecond)
		heapAfter, allAfter := memory()
		t.Logf("%d restorations: heap %d → %d bytes, resident %d → %d KiB, goroutines %d → %d", n, heap, heapAfter,
			all>>10, allAfter>>10, goroutines, goruntime.NumGoroutine())
		if heapAfter > heap+1<<20 || allAfter > all+4<<20 || goruntime.NumGoroutine() > goroutines {
			t.Error("memory or goroutines grow")
		}
	})
}

// memory is what is live in Go's heap, and the process's resident memory where
// the system tells (else 0), once Go has given back what it does not need.
func memory() (heap, resident int64) {
	debug.FreeOSMemory()
	var s goruntime.MemStats
	goruntime.ReadMemStats(&s)
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			resident = kb << 10
		}
	}
	return int64(s.HeapAlloc), resident
}
