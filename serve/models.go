package serve

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/i2sb-go/i2sb/runtime"
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
	Name    string      `json:"name"`
	Pack    string      `json:"pack"` // names its content
	Licence string      `json:"licence,omitempty"`
	Credits string      `json:"credits,omitempty"`
	Tasks   []taskEntry `json:"tasks"`
}

type taskEntry struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Sampler     string `json:"sampler"` // default
	Steps       int    `json:"steps"`   // default
}

func (s *Server) listModels() ([]byte, error) {
	l := modelList{Limits: limits{s.c.MaxBytes, s.c.MaxPixels}}
	for _, m := range s.c.Models {
		e := modelEntry{Name: m.Name, Pack: m.Header.ID(), Licence: m.Header.Licence, Credits: m.Header.Credits, Tasks: []taskEntry{}}
		for _, t := range m.Header.Tasks {
			set, err := runtime.Resolve(m.Header, runtime.WithTask(t.Name))
			if err != nil {
				return nil, err
			}
			e.Tasks = append(e.Tasks, taskEntry{t.Name, t.Description, set.Sampler, set.Steps})
		}
		l.Models = append(l.Models, e)
	}
	return json.Marshal(l)
}

// models answers GET /v1/models.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(s.list)))
	_, _ = w.Write(s.list)
}
