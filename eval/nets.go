package eval

import (
	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/cnn"
)

// Net is a network of others that looks at pictures.
type Net struct {
	ID   string // of its weights
	Look func(x *bridge.Image) ([]float32, error)
}

// Nets are networks of others whose answers are measured. All may be nil.
type Nets struct {
	ResNet    *Net // classifies
	Inception *Net // its features make the Fréchet distance (FID)
	// Labels are the true classes by the photograph's name. Without them a
	// classification is held against that of the original.
	Labels map[string]int
}

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
		if a.scores, err = n.ResNet.Look(x); err != nil {
			return a, err
		}
	}
	if n.Inception != nil {
		a.features, err = n.Inception.Look(x)
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
