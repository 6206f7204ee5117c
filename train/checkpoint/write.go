package checkpoint

import (
	"encoding/json"
	"io"

	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/weights"
)

// Write makes a checkpoint; one tensor is in memory at a time.
func Write(w io.Writer, s State, r recipe.Recipe, h weights.Header, sets Sets) error {
	state, err := json.Marshal(s)
	if err != nil {
		return err
	}
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	var tensors []weights.Info
	var sources []weights.Source
	var names []string // in its source
	for _, set := range []struct {
		prefix string
		src    weights.Source
	}{{"", sets.Average}, {prefixWeights, sets.Weights}, {prefixMoment1, sets.Moment1}, {prefixMoment2, sets.Moment2}} {
		for _, t := range set.src.Tensors() {
			sources, names = append(sources, set.src), append(names, t.Name)
			t.Name = set.prefix + t.Name
			tensors = append(tensors, t)
		}
	}
	meta := map[string]string{"format": format, "state": string(state), "header": string(header), "recipe": r.String()}
	return weights.WriteSafetensors(w, meta, tensors, func(i int, dst []float32) error { return sources[i].ReadF32(names[i], dst) })
}
