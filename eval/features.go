package eval

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/i2sb-go/i2sb/eval/frechet"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/weights"
)

// Features are what Inception says of pictures, by the fingerprints of what
// made them (Record.Made and Record.Original).
type Features struct {
	network string // whose they are
	order   []string
	byMade  map[string][]float32
}

// The names in a file of features.
const (
	featuresFormat = "i2sb features 1"
	featuresTensor = "features" // pictures × elements, in the order of the metadata's "pictures"
)

// NewFeatures is an empty set of a network's features.
func NewFeatures(network string) *Features {
	return &Features{network: network, byMade: map[string][]float32{}}
}

// OpenFeatures reads what Save wrote; where there is no file it is an empty
// set. Another network's features are an error.
func OpenFeatures(path, network string) (*Features, error) {
	f := NewFeatures(network)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	src, err := weights.OpenSafetensors(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.read(src); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func (f *Features) read(src *weights.Safetensors) error {
	meta, tensors := src.Metadata(), src.Tensors()
	pictures := strings.Fields(meta["pictures"])
	if meta["format"] != featuresFormat || len(tensors) != 1 || tensors[0].Name != featuresTensor || len(tensors[0].Shape) != 2 || tensors[0].Shape[0] != len(pictures) {
		return fmt.Errorf("it holds no features of eval; give another --csv, or remove it")
	}
	if meta["network"] != f.network {
		return fmt.Errorf("it holds the features of another network's weights; give another --csv, or remove it")
	}
	all := make([]float32, tensors[0].Len())
	if err := src.ReadF32(featuresTensor, all); err != nil {
		return err
	}
	n := tensors[0].Shape[1]
	for i, made := range pictures {
		f.put(made, all[i*n:(i+1)*n])
	}
	return nil
}

// Save writes the features as safetensors, whole or not at all.
func (f *Features) Save(path string) error {
	if len(f.order) == 0 {
		return nil
	}
	n := len(f.byMade[f.order[0]])
	meta := map[string]string{"format": featuresFormat, "network": f.network, "pictures": strings.Join(f.order, " ")}
	matrix := []weights.Info{{Name: featuresTensor, Shape: []int{len(f.order), n}, DType: weights.F32}}
	return picture.WriteFile(path, true, func(w io.Writer) error {
		return weights.WriteSafetensors(w, meta, matrix, func(_ int, dst []float32) error {
			for i, made := range f.order {
				copy(dst[i*n:(i+1)*n], f.byMade[made])
			}
			return nil
		})
	})
}

func (f *Features) has(made string) bool { return f.byMade[made] != nil }

func (f *Features) put(made string, v []float32) {
	if !f.has(made) {
		f.order = append(f.order, made)
	}
	f.byMade[made] = v
}

// distance is the FID of records to their originals.
func (f *Features) distance(records []Record) (float64, error) {
	var a, b [][]float64
	for _, r := range records {
		a, b = append(a, f.vector(r.Made)), append(b, f.vector(r.Original))
	}
	d, err := frechet.Distance(a, b)
	if err != nil {
		return 0, fmt.Errorf("FID: %w", err)
	}
	return d, nil
}

func (f *Features) vector(made string) []float64 {
	v := make([]float64, len(f.byMade[made]))
	for i, x := range f.byMade[made] {
		v[i] = float64(x)
	}
	return v
}
