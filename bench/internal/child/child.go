// Package child runs this project's command in processes of its own, for load
// and kill tests.
package child

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Build builds i2sb-run into a folder and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	to := filepath.Join(dir, "i2sb-run")
	c := exec.CommandContext(ctx, "go", "build", "-o", to, "github.com/i2sb-go/i2sb/cmd/i2sb-run")
	if said, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, said)
	}
	return to, nil
}

// Process is a command that runs.
type Process struct {
	*exec.Cmd
	ended chan struct{}
	err   error

	mu   sync.Mutex
	last []string // lines of standard error
}

// Start starts a command. If it logs lines of JSON, Start waits for the one
// whose msg is given and returns it.
func Start(msg string, name string, args ...string) (*Process, map[string]any, error) {
	p := &Process{Cmd: exec.Command(name, args...), ended: make(chan struct{})}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	p.Stderr = w
	err = p.Cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, nil, err
	}
	found := make(chan map[string]any, 1)
	read := make(chan struct{})
	go func() { p.read(r, msg, found); close(read) }()
	go func() {
		p.err = p.Cmd.Wait()
		<-read
		close(p.ended)
	}()
	if msg == "" {
		return p, nil, nil
	}
	select {
	case line := <-found:
		return p, line, nil
	case <-p.ended:
		return nil, nil, fmt.Errorf("%s ended before it said %q: %v\n%s", filepath.Base(name), msg, p.err, p.Said())
	case <-time.After(2 * time.Minute):
		p.Kill()
		return nil, nil, fmt.Errorf("%s does not say %q\n%s", filepath.Base(name), msg, p.Said())
	}
}

func (p *Process) read(r io.ReadCloser, msg string, found chan<- map[string]any) {
	defer r.Close()
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var line map[string]any
		if msg != "" && json.Unmarshal(s.Bytes(), &line) == nil && line["msg"] == msg {
			select {
			case found <- line:
			default:
			}
		}
		p.mu.Lock()
		if p.last = append(p.last, s.Text()); len(p.last) > 20 {
			p.last = p.last[1:]
		}
		p.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, r)
}

// Said is the last that was said on standard error.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.last, "\n")
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Kill ends the process at once, as kill -9 does.
func (p *Process) Kill() {
	_ = p.Process.Kill()
	<-p.ended
}

// Stop asks the process to end and waits for it, but no longer than the bound.
func (p *Process) Stop(bound time.Duration) error {
	_ = p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return p.err
	case <-time.After(bound):
		p.Kill()
		return fmt.Errorf("it did not end within %v of SIGTERM", bound)
	}
}

// Wait waits for the end and returns the exit code.
func (p *Process) Wait() int {
	<-p.ended
	return p.ProcessState.ExitCode()
}
