package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/i2sb-go/i2sb/runtime"
)

// Parameters are how a picture is to be restored; zero values take the
// model's defaults.
type Parameters struct {
	Model   string   `json:"model,omitempty"` // of the workers' models; default: the first
	Task    string   `json:"task,omitempty"`
	Steps   int      `json:"steps,omitempty"`
	Sampler string   `json:"sampler,omitempty"`
	Eta     *float64 `json:"eta,omitempty"`
	Seed    uint64   `json:"seed,omitempty"`
	Tile    int      `json:"tile,omitempty"`
	Overlap int      `json:"overlap,omitempty"`
	Format  string   `json:"format,omitempty"`  // png, jpeg, tiff or bmp; default: png
	Quality int      `json:"quality,omitempty"` // of a JPEG; default: 95
}

func (p Parameters) options() []runtime.Option {
	o := []runtime.Option{runtime.WithTask(p.Task), runtime.WithSampler(p.Sampler), runtime.WithSeed(p.Seed),
		runtime.WithTile(p.Tile), runtime.WithOverlap(p.Overlap)}
	if p.Steps != 0 {
		o = append(o, runtime.WithSteps(p.Steps))
	}
	if p.Eta != nil {
		o = append(o, runtime.WithEta(*p.Eta))
	}
	return o
}

// Job is a picture to restore.
type Job struct {
	ID         string     `json:"id"`
	Picture    string     `json:"picture"` // SHA-256 of the file
	Source     string     `json:"source"`  // object:NAME, file:PATH below the workers' folder, http: or https:
	Parameters Parameters `json:"parameters"`
}

// NewJob names a job by its picture's hash and its parameters.
func NewJob(sum, source string, p Parameters) Job {
	b, _ := json.Marshal(p) // strings and numbers
	id := sha256.Sum256(append([]byte(sum), b...))
	return Job{hex.EncodeToString(id[:]), sum, source, p}
}

// check tells whether a message is a job that NewJob made.
func (j Job) check() error {
	if want := NewJob(j.Picture, j.Source, j.Parameters).ID; j.ID != want {
		return fmt.Errorf("the job's name begins with %.16q, its picture and parameters make %.16q", j.ID, want)
	}
	kind, _, ok := strings.Cut(j.Source, ":")
	if !ok || kind != "object" && kind != "file" && kind != "http" && kind != "https" {
		return fmt.Errorf("source %.80q: its scheme is none of object, file, http and https", j.Source)
	}
	return nil
}

// Record tells of a result. The first one that is written for a job stays.
type Record struct {
	Object  string  `json:"object"` // the result's name in the object store
	Digest  string  `json:"digest"` // of the result, as the object store gives it
	Bytes   uint64  `json:"bytes"`
	Format  string  `json:"format"`
	Pack    string  `json:"pack"`
	Task    string  `json:"task"`
	Sampler string  `json:"sampler"`
	Steps   int     `json:"steps"`
	Device  string  `json:"device"`
	Worker  string  `json:"worker"`
	Seconds float64 `json:"seconds"`
}

// Dead is a letter about a job that cannot succeed.
type Dead struct {
	Job      json.RawMessage `json:"job"`
	Reason   string          `json:"reason"`
	Attempts uint64          `json:"attempts"`
	Worker   string          `json:"worker"`
}
