package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// maxJSON is the largest list of shapes that is read.
const maxJSON = 16 << 20

// shapes judges a list of a network's tensors: does the network that we build
// of the same configuration have exactly these? An error of 1 means no.
func shapes(j *job) ([]Row, error) {
	f, err := os.Open(j.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxJSON+1))
	if err != nil {
		return nil, err
	}
	var want struct {
		Config     *weights.Network
		Parameters *int64
		Tensors    map[string][]int
	}
	if err := json.Unmarshal(b, &want); err != nil || len(b) > maxJSON {
		return nil, fmt.Errorf("%w (as JSON: %v)", errUnknown, err)
	}
	if want.Config == nil && want.Tensors == nil {
		return nil, errUnknown
	}
	if want.Config == nil || len(want.Tensors) == 0 {
		return nil, fmt.Errorf("shapes fixture: it needs config and tensors")
	}
	inferNetwork(want.Config, want.Tensors)
	c, err := unet.Parse(*want.Config)
	if err != nil {
		return nil, fmt.Errorf("shapes fixture: %w", err)
	}
	p, err := unet.BuildUnfused(*want.Config, 1, c.Multiple(), c.Multiple())
	if err != nil {
		return nil, fmt.Errorf("shapes fixture: %w", err)
	}
	have := map[string][]int{}
	for _, w := range p.Params {
		have[w.Name] = w.Shape
	}
	var rows []Row
	for name, shape := range want.Tensors {
		rows = append(rows, same(name, fmt.Sprint(have[name]) == fmt.Sprint(shape) && have[name] != nil))
	}
	sort.Slice(rows, func(a, b int) bool { return rows[a].Tensor < rows[b].Tensor })
	if want.Parameters != nil {
		// A tensor of ours that the list lacks shows in the sum.
		rows = append(rows, judge("parameters", distance(float64(*want.Parameters), float64(p.ParamBytes()/4)), 0))
	} else if len(have) != len(want.Tensors) {
		for name := range have {
			if want.Tensors[name] == nil {
				rows = append(rows, same(name, false))
			}
		}
	}
	return rows, nil
}

// same is the row of something that either agrees or does not.
func same(name string, ok bool) Row {
	if ok {
		return judge(name, 0, 0)
	}
	return judge(name, 1, 0)
}
