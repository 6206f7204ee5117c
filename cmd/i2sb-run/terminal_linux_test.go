package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a terminal of 120 columns: what is written to its far end is read
// from the near one.
func terminal(t *testing.T) (near, far *os.File) {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { near.Close() })
	fd := int(near.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 120}); err != nil {
		t.Fatal(err)
	}
	far, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return near, far
}

// TestTrainOnATerminal: a live line has steps, loss, speed and what is left.
func TestTrainOnATerminal(t *testing.T) {
	dir := t.TempDir()
	album(t, dir)
	near, far := terminal(t)
	c := process(t, dir, append(short, "run", "--steps", "1000000", "--validate-every", "0")...)
	c.Stderr, c.Env = far, append(os.Environ(), "TERM=xterm", "NO_COLOR=")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	far.Close()
	seen := make(chan bool, 1)
	var said bytes.Buffer
	go func() {
		live := regexp.MustCompile(`loss [\d.e-]+, [\d.e+]+ images/s, [\dhms.]+ left .*\(\d+/1000000\)`)
		b := make([]byte, 4096)
		for {
			n, err := near.Read(b)
			said.Write(b[:n])
			if found := live.Match(said.Bytes()); found || err != nil {
				seen <- found
				return
			}
		}
	}()
	select {
	case ok := <-seen:
		if !ok {
			t.Errorf("no live line in %q", said.String())
		}
	case <-time.After(2 * time.Minute):
		t.Error("no live line in two minutes")
	}
	_ = c.Process.Kill()
}
