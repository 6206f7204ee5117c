package eval

import (
	"fmt"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/cnn"
	"github.com/i2sb-go/i2sb/eval/frechet"
)

// Nets are networks of others whose answers are measured. All may be nil.
type Nets struct {
	ResNet    *cnn.Network // classifies
	Inception *cnn.Network // its features make the Fréchet distance (FID)
	// Labels are the true classes by the photograph's name. Without them a
	// classification is held against that of the original.
	Labels map[string]int

	features map[Key][][]float64
}

// originals is the method of undegraded crops in the features.
const originals = "original"

// answer is what the networks say of a picture.
type answer struct {
	scores   []float32
	features []float32
}

func (n *Nets) measures() []Measure {
	if n.ResNet == nil {
		return nil
	}
	if n.Labels == nil {
		return []Measure{{"agreement", "same class %", false, 1}}
	}
	return []Measure{{"top1", "top-1 %", false, 1}, {"top5", "top-5 %", false, 1}}
}

func (n *Nets) look(x *bridge.Image) (a answer, err error) {
	if n.ResNet != nil {
		if a.scores, err = n.ResNet.Run(cnn.ForResNet(x)); err != nil {
			return a, err
		}
	}
	if n.Inception != nil {
		a.features, err = n.Inception.Run(cnn.ForInception(x))
	}
	return a, err
}

// judge gives the values of measures.
func (n *Nets) judge(c Crop, got, original answer) []float64 {
	if n.ResNet == nil {
		return nil
	}
	percent := func(ok bool) float64 {
		if ok {
			return 100
		}
		return 0
	}
	if n.Labels == nil {
		return []float64{percent(cnn.Rank(got.scores, cnn.Best(original.scores)) == 0)}
	}
	rank := cnn.Rank(got.scores, n.Labels[c.File])
	return []float64{percent(rank < 1), percent(rank < 5)}
}

func (n *Nets) remember(group Key, a answer) {
	if n.Inception == nil {
		return
	}
	if n.features == nil {
		n.features = map[Key][][]float64{}
	}
	f := make([]float64, len(a.features))
	for i, v := range a.features {
		f[i] = float64(v)
	}
	n.features[group] = append(n.features[group], f)
}

// fid is the Fréchet distance between a group's features and the originals'.
func (n *Nets) fid(group Key) (float64, error) {
	d, err := frechet.Distance(n.features[group], n.features[Key{Crop: Crop{Set: group.Set}, Method: originals}])
	if err != nil {
		return 0, fmt.Errorf("FID: %w", err)
	}
	return d, nil
}
