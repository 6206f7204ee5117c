//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is this test binary, run as the command.
func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "i2sb-run") // testscript's way to be the command
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(name, args...)
	c.Dir = dir
	t.Cleanup(func() {
		if c.ProcessState == nil && c.Process != nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	return c
}

// logged starts a program and waits for a line of its log.
func logged(t *testing.T, c *exec.Cmd, msg string) map[string]any {
	t.Helper()
	return loggedTo(t, c, msg, io.Discard)
}

// loggedTo also writes the log to w, which may be read once the program has
// ended.
func loggedTo(t *testing.T, c *exec.Cmd, msg string, w io.Writer) map[string]any {
	t.Helper()
	p, in := io.Pipe()
	c.Stderr = io.MultiWriter(in, w) // so that Wait waits for its last line
	r := bufio.NewReader(p)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan map[string]any, 1)
	go func() {
		s := bufio.NewScanner(r)
		for s.Scan() {
			var line map[string]any
			if json.Unmarshal(s.Bytes(), &line) == nil && line["msg"] == msg {
				found <- line
			}
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	select {
	case line := <-found:
		return line
	case <-time.After(time.Minute):
		t.Fatalf("%v: no line %q", c.Args, msg)
		return nil
	}
}

// atWork waits until a service has given its device a picture.
func atWork(t *testing.T, url string) {
	t.Helper()
	for range 600 {
		if a, err := http.Get(url + "/metrics"); err == nil {
			b, _ := io.ReadAll(a.Body)
			a.Body.Close()
			if bytes.Contains(b, []byte("\ni2sb_queue_seconds_count 1")) {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("no picture came to the device")
}

func TestServeEndsInOrder(t *testing.T) {
	dir := t.TempDir()
	if err := materials(dir, tinyPack(t)); err != nil {
		t.Fatal(err)
	}
	photo, err := os.ReadFile(filepath.Join(dir, "photo.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, twice := range []bool{false, true} {
		c := program(t, dir, "serve", "--addr", "127.0.0.1:0", "--pack", "tiny.i2sb")
		url := "http://" + logged(t, c, "serving")["address"].(string)
		answered := make(chan string, 1)
		body, steps := photo, 300
		if twice { // a walk that would take minutes
			var b bytes.Buffer
			if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 1024, 1024))); err != nil {
				t.Fatal(err)
			}
			body, steps = b.Bytes(), 999
		}
		go func() {
			a, err := http.Post(fmt.Sprintf("%s/v1/restore?steps=%d", url, steps), "image/png", bytes.NewReader(body))
			if err != nil {
				answered <- err.Error()
				return
			}
			_, err = io.Copy(io.Discard, a.Body)
			a.Body.Close()
			answered <- fmt.Sprint(a.StatusCode, err)
		}()
		atWork(t, url)
		began := time.Now()
		_ = c.Process.Signal(syscall.SIGTERM)
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		if twice { // signals that come before the first is seen count as one
			for len(ended) == 0 {
				time.Sleep(100 * time.Millisecond)
				_ = c.Process.Signal(syscall.SIGTERM)
			}
		}
		err := <-ended
		got := <-answered
		if twice {
			if c.ProcessState.ExitCode() != exitInterrupted || time.Since(began) > 20*time.Second {
				t.Errorf("the second signal: %v after %v", err, time.Since(began))
			}
		} else if err != nil || !strings.HasPrefix(got, "200 <nil>") {
			t.Errorf("the first signal: %v, answered %s", err, got)
		}
	}
}

func TestFleetOfProcesses(t *testing.T) {
	dir := t.TempDir()
	if err := materials(dir, tinyPack(t)); err != nil {
		t.Fatal(err)
	}
	w := program(t, dir, "worker", "--pack", "tiny.i2sb", "--nats", "embedded", "--nats-addr", "127.0.0.1:42917", "--nats-dir", "nats")
	logged(t, w, "working")
	list := "# pictures\nphoto.png\nsmall.png\nbad/text.png\n"
	if err := os.WriteFile(filepath.Join(dir, "list.txt"), []byte(list), 0o666); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"photo.png: done", "done before"} {
		c := program(t, dir, "submit", "@list.txt", "-o", "out", "--wait", "--nats", "nats://127.0.0.1:42917", "--steps", "1")
		out, err := c.CombinedOutput()
		if c.ProcessState.ExitCode() != exitPartly || !strings.Contains(string(out), want) || !strings.Contains(string(out), "bad/text.png") {
			t.Errorf("%d: %v\n%s", i, err, out)
		}
	}
	for _, f := range []string{"out/photo.png", "out/small.png"} {
		if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
			t.Error(err)
		}
	}
	_ = w.Process.Signal(syscall.SIGTERM)
	if err := w.Wait(); err != nil {
		t.Errorf("the worker ends with %v", err)
	}
}
