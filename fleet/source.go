package fleet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// poison is an error that every attempt would meet again.
type poison struct{ err error }

func (p *poison) Error() string { return p.err.Error() }
func (p *poison) Unwrap() error { return p.err }

func poisonf(format string, args ...any) error { return &poison{fmt.Errorf(format, args...)} }

// web gets pictures by URL; a server that is silent does not hold a worker.
var web = &http.Client{Timeout: 2 * time.Minute}

// fetch gets a job's picture, for as long as it may take, and holds it against its hash.
func (w *Worker) fetch(ctx context.Context, j Job) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, web.Timeout)
	defer cancel()
	kind, name, _ := strings.Cut(j.Source, ":")
	var from io.ReadCloser
	switch kind {
	case "object":
		o, err := w.q.inputs.Get(ctx, name)
		if errors.Is(err, jetstream.ErrObjectNotFound) {
			return nil, poisonf("its picture is not in the object store")
		}
		if err != nil {
			return nil, err
		}
		from = o
	case "file":
		if w.Files == nil {
			return nil, poisonf("this fleet's workers have no --files folder")
		}
		f, err := w.Files.Open(name)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrInvalid) {
			return nil, &poison{err}
		}
		if err != nil {
			return nil, err
		}
		from = f
	default:
		if !w.URLs {
			return nil, poisonf("this fleet's workers do not fetch URLs; start them with --urls")
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, j.Source, nil)
		if err != nil {
			return nil, &poison{err}
		}
		a, err := web.Do(r)
		if err != nil {
			return nil, err
		}
		if a.StatusCode != http.StatusOK {
			a.Body.Close()
			err := fmt.Errorf("the picture's server answers %s", a.Status)
			if a.StatusCode >= 400 && a.StatusCode < 500 && a.StatusCode != http.StatusTooManyRequests {
				return nil, &poison{err}
			}
			return nil, err
		}
		from = a.Body
	}
	defer from.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(from, w.MaxBytes+1)); err != nil {
		return nil, err
	}
	if int64(b.Len()) > w.MaxBytes {
		return nil, poisonf("the picture has more than %d bytes", w.MaxBytes)
	}
	if sum := sha256.Sum256(b.Bytes()); hex.EncodeToString(sum[:]) != j.Picture {
		return nil, poisonf("the picture is not the one that was submitted: its hash is %s", hex.EncodeToString(sum[:8]))
	}
	return b.Bytes(), nil
}
