package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/i2sb-go/i2sb/runtime/keeper"
)

// Engine restores pictures on one device; a keeper.Keeper is one.
type Engine interface {
	// Run restores a group of pictures with one model and returns when all of
	// them have ended.
	Run(model string, group ...*keeper.Job)
	// Device says what it runs on.
	Device() string
}

// Config is what a Server needs to know. Models and Engines must be there;
// zero values elsewhere take the defaults.
type Config struct {
	Models  []keeper.Model // the first is the default
	Engines []Engine       // one a device

	MaxBytes  int64         // of a request's body; 32 MiB
	MaxPixels int64         // of a picture and of its result; 16 million
	Queue     int           // requests that may wait; 64
	MaxWait   time.Duration // for which a request may be expected to wait; 30 s
	Batch     int           // equal sizes that the device gets together; 1
	Deadline  time.Duration // from a request's arrival to its result; 5 min
	Grace     time.Duration // for what runs when the server ends; 30 s
	Conns     int           // connections at once; 2048
	Buffer    int64         // bytes of bodies, and as many of results, at once; 8·MaxBytes

	Tokens  *Tokens      // nil: no authorization
	Origins []string     // whose pages may read answers (CORS); none
	Page    http.Handler // what lies at /, or nil

	Log     *slog.Logger         // nil: nothing is logged
	Metrics *Metrics             // nil: its own
	Tracer  trace.TracerProvider // nil: no traces
}

func (c Config) withDefaults() (Config, error) {
	if len(c.Models) == 0 || len(c.Engines) == 0 {
		return c, errors.New("serve: Config needs Models and Engines")
	}
	for name, v := range map[string]int64{"MaxBytes": c.MaxBytes, "MaxPixels": c.MaxPixels, "Queue": int64(c.Queue), "MaxWait": int64(c.MaxWait), "Batch": int64(c.Batch),
		"Deadline": int64(c.Deadline), "Grace": int64(c.Grace), "Conns": int64(c.Conns), "Buffer": c.Buffer} {
		if v < 0 {
			return c, fmt.Errorf("serve: %s is negative", name)
		}
	}
	setTo(&c.MaxBytes, 32<<20)
	setTo(&c.MaxPixels, 16<<20)
	setTo(&c.Queue, 64)
	setTo(&c.MaxWait, 30*time.Second)
	setTo(&c.Batch, 1)
	setTo(&c.Deadline, 5*time.Minute)
	setTo(&c.Grace, 30*time.Second)
	setTo(&c.Conns, 2048)
	setTo(&c.Buffer, 8*c.MaxBytes)
	if c.Buffer < c.MaxBytes {
		return c, errors.New("serve: Buffer is smaller than MaxBytes")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider()
	}
	return c, nil
}

func setTo[T comparable](v *T, other T) {
	var zero T
	if *v == zero {
		*v = other
	}
}
