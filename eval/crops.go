package eval

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
)

// Crop is a place in a photograph that is measured.
type Crop struct {
	File       string
	X, Y, W, H int
	Set        string // crops of different sets are averaged apart
}

// ReadCrops reads a tab-separated list with the columns file, x, y, width,
// height and set, and one line of headings.
func ReadCrops(r io.Reader) ([]Crop, error) {
	var crops []Crop
	s := bufio.NewScanner(r)
	for line := 1; s.Scan(); line++ {
		f := strings.Split(strings.TrimRight(s.Text(), "\r"), "\t")
		if line == 1 && f[0] == "file" || s.Text() == "" {
			continue
		}
		if len(f) != 6 {
			return nil, fmt.Errorf("crops: line %d has %d columns; want file, x, y, width, height, set", line, len(f))
		}
		c := Crop{File: f[0], Set: f[5]}
		for i, p := range []*int{&c.X, &c.Y, &c.W, &c.H} {
			v, err := strconv.Atoi(f[i+1])
			if err != nil || v < 0 {
				return nil, fmt.Errorf("crops: line %d: %q is not a number of pixels", line, f[i+1])
			}
			*p = v
		}
		crops = append(crops, c)
	}
	return crops, s.Err()
}

// Load reads the crop out of its photograph in dir.
func (c Crop) Load(dir string) (*bridge.Image, error) {
	path := filepath.Join(dir, c.File)
	x, err := readPicture(path)
	if err != nil {
		return nil, err
	}
	return c.cut(x, path)
}

// cut takes the crop out of x, read from path, as three channels.
func (c Crop) cut(x *bridge.Image, path string) (*bridge.Image, error) {
	if c.X+c.W > x.W || c.Y+c.H > x.H || c.W < 1 || c.H < 1 {
		return nil, fmt.Errorf("%s: crop %d,%d %d×%d lies outside of %d×%d", path, c.X, c.Y, c.W, c.H, x.W, x.H)
	}
	y := bridge.NewImage(3, c.H, c.W)
	for ch := range 3 {
		src := x.Plane(min(ch, x.C-1))
		for i := range c.H {
			copy(y.Plane(ch)[i*c.W:(i+1)*c.W], src[(c.Y+i)*x.W+c.X:])
		}
	}
	return y, nil
}
