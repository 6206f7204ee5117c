package eval

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/cnn"
	"github.com/i2sb-go/i2sb/weights"
)

// ResNet50 reads a classifier's weights, safetensors or a PyTorch state dict.
func ResNet50(path string) (*Net, error) { return open(path, cnn.OpenResNet50, cnn.ForResNet) }

// Inception reads the weights of FID's network, in the same formats.
func Inception(path string) (*Net, error) { return open(path, cnn.OpenInception, cnn.ForInception) }

func open(path string, network func(weights.Source) (*cnn.Network, error), prepared func(*bridge.Image) *bridge.Image) (*Net, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	start := make([]byte, 9)
	n, _ := f.ReadAt(start, 0)
	var src weights.Source
	switch {
	case n == 9 && start[8] == '{':
		src, err = weights.OpenSafetensors(f, info.Size())
	case n > 1 && (string(start[:2]) == "PK" || start[0] == 0x80):
		src, err = weights.OpenCheckpoint(f, info.Size(), false)
	default:
		err = fmt.Errorf("neither a safetensors file nor a PyTorch state dict")
	}
	if err != nil {
		return nil, err
	}
	defer src.Close()
	judge, err := network(src)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, info.Size())); err != nil {
		return nil, err
	}
	return &Net{ID: hex.EncodeToString(sum.Sum(nil)[:8]), Look: func(x *bridge.Image) ([]float32, error) { return judge.Run(prepared(x)) }}, nil
}

// ReadLabels reads the classes of the crops' photographs: lines of a file's
// name, whose folders do not count, and a number from 0 to 999.
func ReadLabels(path string, crops []Crop) (map[string]int, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	byName := map[string]int{}
	s := bufio.NewScanner(f)
	for line := 1; s.Scan(); line++ {
		text := strings.TrimSpace(s.Text())
		if text == "" {
			continue
		}
		cut := strings.LastIndexAny(text, " \t,")
		class, err := strconv.Atoi(text[cut+1:])
		if cut < 1 || err != nil || class < 0 || class > 999 {
			return nil, fmt.Errorf("line %d: want a file's name and a class from 0 to 999", line)
		}
		byName[filepath.Base(filepath.ToSlash(strings.TrimSpace(text[:cut])))] = class
	}
	if s.Err() != nil {
		return nil, s.Err()
	}
	labels := map[string]int{}
	for _, c := range crops {
		class, ok := byName[filepath.Base(c.File)]
		if !ok {
			return nil, fmt.Errorf("it has no class for %s", c.File)
		}
		labels[c.File] = class
	}
	return labels, nil
}
