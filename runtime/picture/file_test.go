package picture

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesAreWholeOrAbsent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	put := func(s string, force bool) error {
		return WriteFile(path, force, func(w io.Writer) error { _, err := io.WriteString(w, s); return err })
	}
	broken := errors.New("broken")
	if err := WriteFile(path, false, func(w io.Writer) error { io.WriteString(w, "half"); return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	if e, _ := os.ReadDir(dir); len(e) != 0 {
		t.Errorf("a failed write left %v", e)
	}
	if err := put("one", false); err != nil {
		t.Fatal(err)
	}
	if err := put("two", false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing file: %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "one" {
		t.Errorf("it was overwritten: %q", b)
	}
	if err := put("three", true); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "three" {
		t.Errorf("with force: %q", b)
	}
	if e, _ := os.ReadDir(dir); len(e) != 1 {
		t.Errorf("left: %v", e)
	}
}

func TestNothingIsLeftByAPanic(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { _ = recover() }()
		_ = WriteFile(filepath.Join(dir, "a"), false, func(io.Writer) error { panic("broken") })
	}()
	if e, _ := os.ReadDir(dir); len(e) != 0 {
		t.Errorf("left: %v", e)
	}
}

func TestLongNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 251)+".png")
	if err := WriteFile(path, false, func(io.Writer) error { return nil }); err != nil {
		t.Error(err)
	}
	path = filepath.Join(t.TempDir(), "absent", "a.png")
	if err := WriteFile(path, false, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("no folder: %v", err)
	}
}

// Where there are no hard links, a file that appeared while another was being
// written is kept too.
func TestClaim(t *testing.T) {
	dir := t.TempDir()
	temp, path := filepath.Join(dir, "temp"), filepath.Join(dir, "a")
	for _, name := range []string{temp, path} {
		if err := os.WriteFile(name, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := claim(temp, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != path {
		t.Errorf("it was overwritten: %q", b)
	}
	os.Remove(path)
	if err := claim(temp, path); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != temp {
		t.Errorf("a free name holds %q", b)
	}
	if err := claim(temp, filepath.Join(dir, "b")); err == nil {
		t.Error("a file that is not there was given a name")
	}
	if e, _ := os.ReadDir(dir); len(e) != 1 {
		t.Errorf("left: %v", e)
	}
}
