package serve

import (
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper"
)

// request is what the parameters of a request to restore come to.
type request struct {
	model    keeper.Model
	settings runtime.Settings
	options  []runtime.Option
	format   string
	quality  int
	deadline time.Duration
	previews bool
}

// types of the formats that are written.
var types = map[string]string{"png": "image/png", "jpeg": "image/jpeg", "tiff": "image/tiff", "bmp": "image/bmp"}

// parse reads the parameters and holds them against the model.
func (s *Server) parse(query string) (*request, *Problem) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, problem("bad-parameter", "the query cannot be read: %v", err)
	}
	q := &request{model: s.c.Models[0], format: "png", quality: 95, deadline: s.c.Deadline, previews: true}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		read, ok := parameters[name]
		if !ok {
			return nil, badParameter(name, "there is no parameter %q; see /openapi.yaml", name)
		}
		if len(values[name]) > 1 {
			return nil, badParameter(name, "%s is given %d times", name, len(values[name]))
		}
		if reason := read(s, q, values[name][0]); reason != "" {
			p := badParameter(name, "%s %q: %s", name, values[name][0], reason)
			if reason == noModel {
				p = problem("no-such-model", "there is no model %q; see /v1/models", values[name][0])
			}
			return nil, p
		}
	}
	if q.settings, err = runtime.Resolve(q.model.Header, q.options...); err != nil {
		return nil, problemOf(noContext, err)
	}
	return q, nil
}

const noModel = "there is no such model"

// parameters read one value each; a reason says why it cannot be used.
var parameters = map[string]func(s *Server, q *request, v string) (reason string){
	"model": func(s *Server, q *request, v string) string {
		for _, m := range s.c.Models {
			if m.Name == v {
				q.model = m
				return ""
			}
		}
		return noModel
	},
	"task":    func(_ *Server, q *request, v string) string { return q.add(runtime.WithTask(v)) },
	"sampler": func(_ *Server, q *request, v string) string { return q.add(runtime.WithSampler(v)) },
	"steps":   func(_ *Server, q *request, v string) string { return integer(v, q, runtime.WithSteps) },
	"tile":    func(_ *Server, q *request, v string) string { return integer(v, q, runtime.WithTile) },
	"overlap": func(_ *Server, q *request, v string) string { return integer(v, q, runtime.WithOverlap) },
	"clip":    func(_ *Server, q *request, v string) string { return boolean(v, q, runtime.WithClip) },
	"last-x0": func(_ *Server, q *request, v string) string { return boolean(v, q, runtime.WithLastX0) },
	"seed": func(_ *Server, q *request, v string) string {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return "write a whole number from 0 to 18446744073709551615"
		}
		return q.add(runtime.WithSeed(n))
	},
	"eta": func(_ *Server, q *request, v string) string {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || math.IsNaN(f) || f < 0 || f > 1 {
			return "write a number from 0 to 1"
		}
		return q.add(runtime.WithEta(f))
	},
	"format": func(_ *Server, q *request, v string) string {
		if v == "jpg" {
			v = "jpeg"
		}
		if q.format = v; types[v] == "" {
			return "there are png, jpeg, tiff and bmp"
		}
		return ""
	},
	"quality": func(_ *Server, q *request, v string) (reason string) {
		n, err := strconv.Atoi(v)
		if q.quality = n; err != nil || n < 1 || n > 100 {
			return "write a number from 1 to 100"
		}
		return ""
	},
	"deadline": func(_ *Server, q *request, v string) string {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			return "write a duration such as 30s"
		}
		q.deadline = min(d, q.deadline)
		return ""
	},
	"previews": func(_ *Server, q *request, v string) (reason string) {
		b, err := strconv.ParseBool(v)
		if q.previews = b; err != nil {
			return "write true or false"
		}
		return ""
	},
}

func (q *request) add(o runtime.Option) (reason string) {
	q.options = append(q.options, o)
	return ""
}

func integer(v string, q *request, with func(int) runtime.Option) (reason string) {
	n, err := strconv.Atoi(v)
	if err != nil {
		return "write a whole number"
	}
	return q.add(with(n))
}

func boolean(v string, q *request, with func(bool) runtime.Option) (reason string) {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return "write true or false"
	}
	return q.add(with(b))
}

// wantsEvents tells whether an Accept header asks for a stream of events.
func wantsEvents(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		if kind, _, _ := strings.Cut(part, ";"); strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") {
			return true
		}
	}
	return false
}
