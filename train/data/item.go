// Package data gives training its pictures: crops of photographs, degraded as
// they are drawn, or of pairs. Whatever is drawn follows from a stream of random
// numbers, so that a number says where training has got to in its data.
package data

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Item is a photograph, or a clean picture and what was made of it.
type Item struct {
	Name     string // of the clean file, below the folder
	W, H     int
	Class    int    // number of the folder it lies in, in the order of names
	clean    string // paths
	degraded string // "" for photographs
}

// endings of the files that are taken from folders.
var endings = []string{".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}

// Photos lists the photographs below a folder in the order of their names. What
// cannot be read is told to bad, by name, and left out.
func Photos(dir string, bad func(name string, err error)) ([]Item, error) {
	names, err := walk(dir)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, name := range names {
		file := filepath.Join(dir, filepath.FromSlash(name))
		w, h, err := size(file)
		if err != nil {
			bad(name, err)
			continue
		}
		items = append(items, Item{Name: name, W: w, H: h, clean: file})
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s: there are no photographs in it (%s)", dir, strings.Join(endings, " "))
	}
	classify(items)
	return items, nil
}

// Pairs lists the pairs of a folder with a folder clean and a folder degraded,
// whose files have the same names up to the ending. Pairs that are not whole or
// differ in size are told to bad and left out.
func Pairs(dir string, bad func(name string, err error)) ([]Item, error) {
	clean, err := walk(filepath.Join(dir, "clean"))
	if err != nil {
		return nil, fmt.Errorf("%w; pairs lie in its folders clean and degraded", err)
	}
	degraded, err := walk(filepath.Join(dir, "degraded"))
	if err != nil {
		return nil, fmt.Errorf("%w; pairs lie in its folders clean and degraded", err)
	}
	partners := map[string]string{}
	for _, name := range degraded {
		partners[stem(name)] = name
	}
	var items []Item
	for _, name := range clean {
		partner, ok := partners[stem(name)]
		delete(partners, stem(name))
		if !ok {
			bad("clean/"+name, errors.New("it has no partner of that name in degraded"))
			continue
		}
		it := Item{Name: name, clean: filepath.Join(dir, "clean", filepath.FromSlash(name)), degraded: filepath.Join(dir, "degraded", filepath.FromSlash(partner))}
		if it.W, it.H, err = size(it.clean); err != nil {
			bad("clean/"+name, err)
			continue
		}
		w, h, err := size(it.degraded)
		if err == nil && (w != it.W || h != it.H) {
			err = fmt.Errorf("it is of %d×%d, its partner in clean of %d×%d", w, h, it.W, it.H)
		}
		if err != nil {
			bad("degraded/"+partner, err)
			continue
		}
		items = append(items, it)
	}
	for _, name := range degraded {
		if _, left := partners[stem(name)]; left {
			bad("degraded/"+name, errors.New("it has no partner of that name in clean"))
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s: there are no pairs in its folders clean and degraded", dir)
	}
	classify(items)
	return items, nil
}

func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// walk lists the pictures below a folder, but for hidden ones.
func walk(dir string) (names []string, err error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a folder", dir)
	}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") && file != dir {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() || !slices.Contains(endings, strings.ToLower(filepath.Ext(file))) {
			return nil
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		names = append(names, filepath.ToSlash(name))
		return nil
	})
	slices.Sort(names)
	return names, err
}

// Exclude leaves out the items whose name, or its last part, fits a pattern of
// path.Match.
func Exclude(items []Item, patterns []string) []Item {
	return slices.DeleteFunc(slices.Clone(items), func(it Item) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			whole, _ := path.Match(p, it.Name)
			base, _ := path.Match(p, path.Base(it.Name))
			return whole || base
		})
	})
}

// size reads a picture's size from the beginning of its file.
func size(file string) (w, h int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, bare(err)
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(f)
	switch {
	case errors.Is(err, image.ErrFormat):
		return 0, 0, &picture.FormatError{Reason: "not a picture that this program reads"}
	case err != nil:
		return 0, 0, fmt.Errorf("damaged: %w", err)
	case c.Width < 1 || c.Height < 1:
		return 0, 0, &picture.FormatError{Reason: "it has no pixels"}
	}
	return c.Width, c.Height, nil
}

// bare drops the path, which goes before the error anyway.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// classify numbers the folders below the top.
func classify(items []Item) {
	var folders []string
	for _, it := range items {
		if f, _, ok := strings.Cut(it.Name, "/"); ok && !slices.Contains(folders, f) {
			folders = append(folders, f)
		}
	}
	for i := range items {
		f, _, _ := strings.Cut(items[i].Name, "/")
		items[i].Class = max(0, slices.Index(folders, f))
	}
}

// Classes is how many folders the items lie in.
func Classes(items []Item) int {
	n := 0
	for _, it := range items {
		n = max(n, it.Class+1)
	}
	return n
}
