package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// runner is a process that evaluates the work once for every line it is sent.
type runner struct {
	name    string
	version string // what it calls itself
	result  string // file with its output, float32
	differs float64
	ms      []float64

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// tolerance is how far outputs, which are of order 1, may lie apart.
const tolerance = 1e-3

// start returns when the runner has evaluated the work for the first time.
func start(dir string, w *work, name string, threads int) (*runner, error) {
	r := &runner{name: name, result: filepath.Join(w.dir, "y."+strings.ReplaceAll(name, ":", ".")+".f32")}
	kind, option, _ := strings.Cut(name, ":")
	args := []string{w.dir, r.result, strconv.Itoa(w.w), strconv.Itoa(w.h), strconv.Itoa(threads)}
	node, python := filepath.Join(dir, "ort_runner.mjs"), filepath.Join("bench", "peers", "torch_runner.py")
	switch kind {
	case "ours":
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		r.cmd = exec.Command(self, append([]string{"ours", w.net}, args...)...)
		if option == "gpu" {
			r.cmd.Args = append(r.cmd.Args, option)
		} else if option != "" {
			r.cmd.Env = append(os.Environ(), "I2SB_CPU="+option)
		}
	case "onnxruntime":
		r.cmd = exec.Command("node", append([]string{node}, append(args, option)...)...)
	case "web":
		r.cmd = exec.Command("node", append([]string{node}, append(args, "web")...)...)
	case "torch":
		r.cmd = exec.Command("/usr/bin/python3", append([]string{python}, append(args, option)...)...)
	default:
		return nil, errors.New("no such runner; see bench/compare --help")
	}
	r.cmd.Stderr = os.Stderr
	var err error
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	r.out = bufio.NewScanner(out)
	for r.out.Scan() {
		if v, ok := strings.CutPrefix(r.out.Text(), "ready: "); ok {
			r.version = v
			return r, nil
		}
	}
	r.end()
	return nil, errors.New("it ended before it was ready")
}

// A turn of evaluations that take less than short is several: a first one that
// wakes threads and caches and does not count, then perTurn.
const (
	short   = 1000 // ms
	perTurn = 5
)

// turn evaluates the work.
func (r *runner) turn() error {
	ms, err := r.evaluate()
	if err != nil || ms >= short {
		r.ms = append(r.ms, ms)
		return err
	}
	for range perTurn {
		if ms, err = r.evaluate(); err != nil {
			return err
		}
		r.ms = append(r.ms, ms)
	}
	return nil
}

// evaluate runs the work once more.
func (r *runner) evaluate() (ms float64, err error) {
	if _, err := io.WriteString(r.in, "run\n"); err != nil {
		return 0, err
	}
	if !r.out.Scan() {
		return 0, errors.New("it ended too early")
	}
	return strconv.ParseFloat(r.out.Text(), 64)
}

// peak is the most memory that the process has had, in MiB; 0 where /proc does
// not tell.
func (r *runner) peak() (mib float64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	for line := range strings.Lines(string(b)) {
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &mib); n == 1 {
			return mib / 1024
		}
	}
	return 0
}

func (r *runner) end() {
	r.in.Close()
	_ = r.cmd.Wait() // whatever it says now, its figures are there
}

// differ is the largest difference of two results, an error if it is too large.
func differ(a, b string) (float64, error) {
	x, err := os.ReadFile(a)
	if err != nil {
		return 0, err
	}
	y, err := os.ReadFile(b)
	if err != nil {
		return 0, err
	}
	if len(x) != len(y) || len(x) == 0 {
		return 0, fmt.Errorf("its output has %d bytes, not %d", len(y), len(x))
	}
	float := func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }
	most := 0.0
	for i := 0; i < len(x); i += 4 {
		d := math.Abs(float(x[i:]) - float(y[i:]))
		if !(d <= tolerance) {
			return d, fmt.Errorf("output %d is %g, ours %g: not the same work; an export made by an older version may have to be removed", i/4, float(y[i:]), float(x[i:]))
		}
		most = max(most, d)
	}
	return most, nil
}
