package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// runner is a process that makes a step for every line it is sent.
type runner struct {
	name    string
	version string // what it calls itself
	ms      []float64
	losses  []float64

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(w work, name string, threads int) (*runner, error) {
	r := &runner{name: name}
	kind, option, _ := strings.Cut(name, ":")
	args := []string{w.dir, strconv.Itoa(w.batch), strconv.Itoa(w.side), strconv.Itoa(threads), option}
	switch kind {
	case "ours":
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		r.cmd = exec.Command(self, append([]string{"ours"}, args...)...)
		if option != "" {
			r.cmd.Env = append(os.Environ(), "I2SB_CPU="+option)
		}
	case "torch":
		r.cmd = exec.Command("/usr/bin/python3", append([]string{filepath.Join("bench", "peers", "torch_trainer.py")}, args...)...)
	default:
		return nil, errors.New("no such runner; see bench/train --help")
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

func (r *runner) step(counts bool) error {
	if _, err := io.WriteString(r.in, "step\n"); err != nil {
		return err
	}
	if !r.out.Scan() {
		return errors.New("it ended too early")
	}
	var ms, loss float64
	if _, err := fmt.Sscan(r.out.Text(), &ms, &loss); err != nil {
		return fmt.Errorf("it says %q", r.out.Text())
	}
	r.losses = append(r.losses, loss)
	if counts {
		r.ms = append(r.ms, ms)
	}
	return nil
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
