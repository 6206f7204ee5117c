package eval

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Folder is what another program made: of a crop NAME (see Names) the picture
// TASK/NAME.png, or NAME.png where only one degradation is measured, in any
// format that can be decoded. It is as large as the crop, or as the whole
// photograph. A missing picture is an error.
func Folder(dir string, names map[Crop]string, tasks []string) (Method, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return Method{}, err
	}
	if !info.IsDir() {
		return Method{}, fmt.Errorf("%s: this is a file; give the folder of another program's pictures", dir)
	}
	find := func(s Sample) (string, error) {
		stems := []string{filepath.Join(dir, s.Task, names[s.Crop])}
		if len(tasks) == 1 {
			stems = append(stems, filepath.Join(dir, names[s.Crop]))
		}
		for _, stem := range stems {
			for _, ext := range []string{".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"} {
				if _, err := os.Stat(stem + ext); err == nil {
					return stem + ext, nil
				}
			}
		}
		return "", fmt.Errorf("%s.png: there is no such picture, nor one of another format", stems[len(stems)-1])
	}
	return Method{Name: filepath.Base(filepath.Clean(dir)), Restore: func(_ context.Context, s Sample) (*bridge.Image, error) {
		path, err := find(s)
		if err != nil {
			return nil, err
		}
		return readAs(path, s)
	}, From: func(s Sample) (string, error) {
		path, err := find(s)
		if err != nil {
			return "", err
		}
		b, err := os.ReadFile(path)
		return fingerprint(string(b)), err
	}}, nil
}

// readAs reads a picture of the crop, or cuts the crop out of it.
func readAs(path string, s Sample) (*bridge.Image, error) {
	x, err := readPicture(path)
	if err != nil {
		return nil, err
	}
	c := s.Crop
	if x.W == c.W && x.H == c.H {
		c.X, c.Y = 0, 0
	}
	return c.cut(x, path)
}

func readPicture(path string) (*bridge.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := picture.Decode(f, picture.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p.Image, nil
}

// Names gives each crop the name of its files, the first of these that no other
// place has: its photograph's without folder and ending, that and where it lies,
// and the photograph's with its folders, where it lies and how large it is.
func Names(crops []Crop) map[Crop]string {
	forms := []func(c Crop) string{
		func(c Crop) string { return stem(filepath.Base(c.File)) },
		func(c Crop) string { return fmt.Sprintf("%s-%d-%d", stem(filepath.Base(c.File)), c.X, c.Y) },
		func(c Crop) string {
			return fmt.Sprintf("%s-%d-%d-%dx%d", strings.ReplaceAll(stem(filepath.ToSlash(c.File)), "/", "-"), c.X, c.Y, c.W, c.H)
		},
	}
	names := map[Crop]string{}
	for i, form := range forms {
		places := map[string]map[Crop]bool{} // by name; sets do not count
		for _, c := range crops {
			place, name := c, form(c)
			place.Set = ""
			if places[name] == nil {
				places[name] = map[Crop]bool{}
			}
			places[name][place] = true
		}
		for _, c := range crops {
			if name := form(c); names[c] == "" && (len(places[name]) == 1 || i == len(forms)-1) {
				names[c] = name
			}
		}
	}
	return names
}

func stem(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) }
