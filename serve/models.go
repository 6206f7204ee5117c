package serve

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/weights"
)

// modelList is what /v1/models tells.
type modelList struct {
	Models []modelEntry `json:"models"` // the first is the default
	Limits limits       `json:"limits"`
}

type limits struct {
	Bytes  int64 `json:"bytes"`
	Pixels int64 `json:"pixels"`
}

type modelEntry struct {
	Name       string      `json:"name"`
	Pack       string      `json:"pack"` // names its content
	Licence    string      `json:"licence,omitempty"`
	Credits    string      `json:"credits,omitempty"`
	Parameters int         `json:"parameters"`
	Samplers   []string    `json:"samplers"`
	MaxSteps   int         `json:"maxSteps"`
	Tasks      []taskEntry `json:"tasks"`
}

type taskEntry struct {
	Name        string `json:"name"`
	Family      string `json:"family"`
	Description string `json:"description"`
	Sampler     string `json:"sampler"` // default
	Steps       int    `json:"steps"`   // default
	Scale       int    `json:"scale"`   // of the result's sides
	Mask        bool   `json:"mask"`    // it needs a part named mask
}

func (s *Server) listModels() ([]byte, error) {
	l := modelList{Limits: limits{s.c.MaxBytes, s.c.MaxPixels}}
	for _, m := range s.c.Models {
		e, err := describe(m)
		if err != nil {
			return nil, err
		}
		l.Models = append(l.Models, e)
	}
	return json.Marshal(l)
}

func describe(m keeper.Model) (modelEntry, error) {
	h := m.Header
	e := modelEntry{Name: m.Name, Pack: h.ID(), Licence: h.Licence, Credits: h.Credits, Samplers: []string{}, MaxSteps: h.Bridge.Interval - 1, Tasks: []taskEntry{}}
	for _, t := range h.Tensors {
		e.Parameters += weights.Info{Shape: t.Shape}.Len()
	}
	for _, s := range bridge.SamplerNames() {
		var option *runtime.OptionError
		if _, err := runtime.Resolve(h, runtime.WithSampler(s)); !errors.As(err, &option) || option.Option != "sampler" {
			e.Samplers = append(e.Samplers, s)
		}
	}
	for _, t := range h.Tasks {
		set, err := runtime.Resolve(h, runtime.WithTask(t.Name))
		if err != nil {
			return e, err
		}
		k := taskEntry{t.Name, runtime.Family(t.Name), t.Description, set.Sampler, set.Steps, 1, false}
		if k.Family == "sr4x" {
			k.Scale = 4
		}
		k.Mask = k.Family == "inpaint" && t.Name != "inpaint-center"
		e.Tasks = append(e.Tasks, k)
	}
	return e, nil
}

// models answers GET /v1/models.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(s.list)))
	_, _ = w.Write(s.list)
}
