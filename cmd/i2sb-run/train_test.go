//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/train/checkpoint"
)

// album writes a few photographs.
func album(t *testing.T, dir string) {
	t.Helper()
	for _, size := range [][2]int{{40, 33}, {34, 50}, {45, 45}} {
		name := filepath.Join(dir, "album", strings.Repeat("p", size[0]-30)+".png")
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, encodePNG(scene(size[0], size[1])), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// short is a training of 30 small steps.
var short = []string{"train", "--photos", "album", "--net-config", `{"image_size":256,"num_channels":32,"num_res_blocks":1,"channel_mult":"1","num_heads":1,"num_head_channels":32,"num_heads_upsample":-1,"use_scale_shift_norm":true,"resblock_updown":true}`,
	"--crop", "8x2,16x1:0.5", "--steps", "30", "--warm", "3", "--save-every", "7", "--validate-every", "10", "--log-every", "2", "--device", "cpu", "-o"}

func process(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: exe, Args: append([]string{"i2sb-run"}, args...), Dir: dir, Env: os.Environ()}
}

// content are the tensors of a checkpoint, as they lie in its file, and its steps.
func content(t *testing.T, out string) ([]byte, checkpoint.State) {
	t.Helper()
	path := checkpoint.Folder(out).Last()
	c, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, info := range c.Weights.Tensors() {
		size += 4 * 4 * info.Len()
	}
	return b[len(b)-size:], c.State
}

// TestTrainKilled kills a training with signal 9 and resumes it, several times:
// it ends with the bytes of one that was left alone.
func TestTrainKilled(t *testing.T) {
	dir := t.TempDir()
	album(t, dir)
	if out, err := process(t, dir, append(short, "whole")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	kills := 0
	for attempt := 0; ; attempt++ {
		args := append(short, "killed")
		if _, err := os.Stat(filepath.Join(dir, "killed", "last.safetensors")); err == nil {
			args = []string{"train", "--resume", "--device", "cpu", "-o", "killed"}
		}
		c := process(t, dir, args...)
		var said bytes.Buffer
		c.Stderr = &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		if attempt < 3 {
			// Killed when a later checkpoint than the last one appears, sometimes
			// while its successor is being written.
			next := filepath.Join(dir, "killed", []string{"step-00000007", "step-00000014", "step-00000021"}[attempt]+".safetensors")
			if until(t, next, 2*time.Minute, ended) {
				_ = c.Process.Kill()
			}
		}
		err := <-ended
		if err == nil {
			break
		}
		if c.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%v: %s", err, said.String())
		}
		kills++
	}
	want, a := content(t, filepath.Join(dir, "whole"))
	got, b := content(t, filepath.Join(dir, "killed"))
	if !bytes.Equal(want, got) {
		t.Error("the weights differ")
	}
	if a.Steps != 30 || b.Steps != 30 || a.Position != b.Position || a.Images != b.Images || kills == 0 {
		t.Errorf("killed %d times; %+v and %+v", kills, a, b)
	}
	t.Logf("killed %d times", kills)
	if left, _ := filepath.Glob(filepath.Join(dir, "killed", ".i2sb-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestTrainInterrupted: SIGINT saves, and ends with 130.
func TestTrainInterrupted(t *testing.T) {
	dir := t.TempDir()
	album(t, dir)
	args := append(short, "run", "--steps", "1000000", "--save-every", "1000000", "--validate-every", "0", "--keep", "1")
	c := process(t, dir, args...)
	var said bytes.Buffer
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(dir, "run", "train.csv")
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if b, _ := os.ReadFile(table); bytes.Count(b, []byte("\n")) > 2 {
			break
		}
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(said.String(), "--resume goes on") {
		t.Errorf("exit code %d: %s", code, said.String())
	}
	if _, state := content(t, filepath.Join(dir, "run")); state.Steps < 4 {
		t.Errorf("%d steps were saved", state.Steps)
	}
}

// TestTrainFullDisk: where files may not grow, the last good checkpoint stays,
// and nothing half written does.
func TestTrainFullDisk(t *testing.T) {
	dir := t.TempDir()
	album(t, dir)
	if out, err := process(t, dir, append(short, "run", "--steps", "7")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	before, _ := content(t, filepath.Join(dir, "run"))
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-c", `ulimit -f 2000; exec -a i2sb-run "$0" train --resume --steps 16 --device cpu -o run`, exe)
	if bash, err := exec.LookPath("bash"); err == nil {
		c = exec.Command(bash, "-c", c.Args[2], exe)
	} else {
		t.Skip("no bash, whose exec names a process")
	}
	c.Dir = dir
	out, err := c.CombinedOutput()
	if c.ProcessState.ExitCode() != exitFailure || !strings.Contains(string(out), "training goes on and will try again") || !strings.Contains(string(out), "the last checkpoint is of step 7") {
		t.Errorf("%v: %s", err, out)
	}
	if after, state := content(t, filepath.Join(dir, "run")); !bytes.Equal(before, after) || state.Steps != 7 {
		t.Errorf("the last checkpoint is of step %d", state.Steps)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "run", ".i2sb-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestPackOfARunningTraining exports while a training goes on.
func TestPackOfARunningTraining(t *testing.T) {
	dir := t.TempDir()
	album(t, dir)
	c := process(t, dir, append(short, "run", "--steps", "1000000", "--save-every", "1", "--validate-every", "0")...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	last := filepath.Join(dir, "run", "last.safetensors")
	until(t, last, 2*time.Minute, nil)
	for range 5 {
		var stdout, stderr bytes.Buffer
		if code := run(context.Background(), []string{"pack", last, "-o", filepath.Join(dir, "x.i2sb"), "--force", "--encoding", "f32"}, nil, &stdout, &stderr); code != 0 {
			t.Fatalf("%d: %s", code, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), []string{"info", filepath.Join(dir, "x.i2sb")}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "i2sb-run train: 2 photographs of album") {
		t.Errorf("%d: %s%s", code, stdout.String(), stderr.String())
	}
}
