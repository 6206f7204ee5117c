//go:build unix

package main

import (
	"bytes"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// start runs the command in a process of its own.
func start(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &exec.Cmd{Path: exe, Args: append([]string{"i2sb-run"}, args...), Dir: dir, Env: os.Environ()}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// until waits for a file whose name fits.
func until(t *testing.T, pattern string, wait time.Duration, ended <-chan error) bool {
	t.Helper()
	for end := time.Now().Add(wait); time.Now().Before(end); {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return true
		}
		select {
		case <-ended:
			return false
		default:
		}
		time.Sleep(50 * time.Microsecond)
	}
	t.Fatalf("%s did not come", pattern)
	return false
}

// TestInterrupted sends signals in the middle of a walk.
func TestInterrupted(t *testing.T) {
	pack := tinyPack(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		dir := t.TempDir()
		if err := materials(dir, pack); err != nil {
			t.Fatal(err)
		}
		before := tree(dir)
		c := start(t, dir, "restore", "photo.png", "-o", "out.png", "--pack", "tiny.i2sb", "--steps", "900", "--trajectory", "steps")
		until(t, filepath.Join(dir, "steps", "step-002.*.png"), 60*time.Second, nil)
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		err := c.Wait()
		if c.ProcessState.ExitCode() != exitInterrupted {
			t.Errorf("%v: %v, exit code %d", s, err, c.ProcessState.ExitCode())
		}
		if after := tree(dir); !maps.Equal(before, after) {
			t.Errorf("%v: left %v", s, after)
		}
	}
}

// TestInterruptedWaiting interrupts a command that waits for its input.
func TestInterruptedWaiting(t *testing.T) {
	pack := tinyPack(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &exec.Cmd{Path: exe, Args: []string{"i2sb-run", "restore", "-", "-o", "out.png", "--pack", pack}, Dir: t.TempDir()}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	// -1: the signal came before the command could listen.
	if code := c.ProcessState.ExitCode(); code != exitInterrupted && code != -1 {
		t.Errorf("exit code %d", code)
	}
}

// TestKilled kills the process while the result has its temporary name: there
// must be a whole file or none.
func TestKilled(t *testing.T) {
	pack := tinyPack(t)
	dir := t.TempDir()
	if err := materials(dir, pack); err != nil {
		t.Fatal(err)
	}
	killed := 0
	out := filepath.Join(dir, "out.png")
	for i := range 6 {
		os.Remove(out)
		c := start(t, dir, "restore", "small.png", "-o", "out.png", "--pack", "tiny.i2sb", "--task", "sr4x", "--steps", "1")
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		pattern := filepath.Join(dir, ".i2sb-*.tmp")
		if i%2 == 1 {
			time.Sleep(time.Duration(i) * 30 * time.Millisecond)
			_ = c.Process.Kill()
		} else if until(t, pattern, 60*time.Second, ended) {
			_ = c.Process.Kill()
			if <-ended != nil {
				killed++
			}
		}
		if i%2 == 1 {
			<-ended
		}
		if b, err := os.ReadFile(out); err == nil {
			if _, err := png.Decode(bytes.NewReader(b)); err != nil {
				t.Fatalf("half a file: %v", err)
			}
		}
		left, _ := filepath.Glob(pattern)
		for _, f := range left {
			os.Remove(f)
		}
	}
	t.Logf("killed %d times while writing", killed)
}
