package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Built names what is made of Go and C, and lies beside the JavaScript.
var Built = []string{"i2sb.wasm", "kernels.wasm", "kernels-relaxed.wasm", "wasm_exec.js"}

const (
	mainPackage    = "github.com/i2sb-go/i2sb/wasm"
	kernelsPackage = "github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
)

// errNoSource says that there is nothing to build from.
var errNoSource = errors.New("no Go toolchain, or not in i2sb's source folder")

// Build makes the files of Built in a folder, with the Go toolchain, from the
// source that the working directory belongs to or depends on.
func Build(ctx context.Context, dir string) error {
	list, err := goTool(ctx, "list", "-f", "{{.Dir}}", kernelsPackage)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoSource, err)
	}
	root, err := goTool(ctx, "env", "GOROOT")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	for _, name := range Built {
		from := filepath.Join(list, name)
		switch name {
		case "i2sb.wasm":
			if _, err := goTool(ctx, "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, name), mainPackage); err != nil {
				return err
			}
			continue
		case "wasm_exec.js":
			from = filepath.Join(root, "lib", "wasm", name)
		}
		b, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// goTool runs the go command for the browser's platform and returns what it prints.
func goTool(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		if said.Len() > 0 {
			err = errors.New(strings.TrimSpace(said.String()))
		}
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
