package fleet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Input is a picture to submit.
type Input struct {
	From string // a file, or an http: or https: URL
	Out  string // the file for its result; "": it stays in the store
}

// State is what a submitted picture has come to.
type State int

// The states of an Outcome.
const (
	Queued State = iota // a worker will come to it, or is at it
	Done                // its result is in the store, and in Out if there is one
	Buried              // it cannot succeed; Err says why
	Failed              // it was not submitted, or its result could not be written
)

// Outcome is what became of an Input.
type Outcome struct {
	Input
	Job   Job
	State State
	Err   error
	Old   bool // it was done before
}

// Submit brings pictures into the queue and keeps track of their results.
type Submit struct {
	Parameters Parameters
	Shared     string          // a folder that all workers see as theirs: pictures in it are not uploaded; or ""
	Retry      bool            // submit those anew that lie with the dead letters
	On         func(o Outcome) // told of every change; may be nil

	q       *Queue
	pending map[string][]*Outcome // by job
}

// Run submits all inputs and, with wait, returns when the last has its result
// or its letter. It may be run again with the same inputs at any time: what is
// in the queue is not queued twice, and what is done is not done again.
func (s *Submit) Run(ctx context.Context, q *Queue, in []Input, wait bool) ([]Outcome, error) {
	s.q, s.pending = q, map[string][]*Outcome{}
	swept := map[string]bool{}
	for _, i := range in {
		if dir := filepath.Dir(i.Out); i.Out != "" && !swept[dir] {
			swept[dir] = true
			_, _ = picture.Sweep(dir, leftAfter) // another run may manage what this one cannot
		}
	}
	all := make([]Outcome, len(in))
	for i := range in {
		o := &all[i]
		o.Input = in[i]
		if err := s.one(ctx, o); err != nil {
			if ctx.Err() != nil || q.conn.IsClosed() {
				return all, err
			}
			o.State, o.Err = Failed, err
		}
		if o.State == Queued {
			s.pending[o.Job.ID] = append(s.pending[o.Job.ID], o)
		}
		s.tell(o)
	}
	if !wait || len(s.pending) == 0 {
		return all, nil
	}
	return all, s.wait(ctx)
}

func (s *Submit) tell(o *Outcome) {
	if s.On != nil {
		s.On(*o)
	}
}

// one submits a picture, unless it was before.
func (s *Submit) one(ctx context.Context, o *Outcome) error {
	b, err := s.read(ctx, o.From)
	if err != nil {
		return err
	}
	h := sha256.Sum256(b)
	sum := hex.EncodeToString(h[:])
	source, upload := "object:"+sum, true
	if strings.HasPrefix(o.From, "http://") || strings.HasPrefix(o.From, "https://") {
		source, upload = o.From, false
	} else if s.Shared != "" {
		name, err := filepath.Rel(s.Shared, o.From)
		if err != nil || !filepath.IsLocal(name) {
			return fmt.Errorf("it does not lie in the shared folder %s", s.Shared)
		}
		source, upload = "file:"+filepath.ToSlash(name), false
	}
	o.Job = NewJob(sum, source, s.Parameters)
	if o.Out != "" {
		if written(o.Out, o.Job.ID) {
			o.State, o.Old = Done, true
			return nil
		}
		if _, err := os.Lstat(o.Out); err == nil {
			return fmt.Errorf("%s exists and was made otherwise", o.Out)
		}
	}
	if done, err := s.q.done(ctx, o.Job.ID); err != nil {
		return err
	} else if done {
		o.Old = true
		return s.collect(ctx, o)
	}
	again := ""
	if letter, err := s.letter(ctx, o.Job.ID); err != nil {
		return err
	} else if letter != nil {
		if !s.Retry {
			bury(o, letter.Data)
			return nil
		}
		if err := s.q.dead.Purge(ctx, jetstream.WithPurgeSubject(deadSubject+o.Job.ID)); err != nil {
			return err
		}
		again = fmt.Sprintf(".%d", letter.Sequence) // else it would count as a duplicate
	}
	if upload {
		if err := s.upload(ctx, sum, b); err != nil {
			return err
		}
	}
	message, err := json.Marshal(o.Job)
	if err != nil {
		return err
	}
	return patient(ctx, 0, func(ctx context.Context) error {
		_, err := s.q.js.Publish(ctx, jobSubject+o.Job.ID, message, jetstream.WithMsgID(o.Job.ID+again))
		return err
	})
}

// upload stores a picture under its hash, unless it is there.
func (s *Submit) upload(ctx context.Context, sum string, b []byte) error {
	there := false
	err := patient(ctx, 0, func(ctx context.Context) error {
		_, err := s.q.inputs.GetInfo(ctx, sum)
		there = err == nil
		if errors.Is(err, jetstream.ErrObjectNotFound) {
			return nil
		}
		return err
	})
	if there || err != nil {
		return err
	}
	_, err = put(ctx, s.q.inputs, sum, b)
	return err
}

// letter is the dead letter of a job, or nil.
func (s *Submit) letter(ctx context.Context, id string) (m *jetstream.RawStreamMsg, err error) {
	err = patient(ctx, 0, func(ctx context.Context) (err error) {
		m, err = s.q.dead.GetLastMsgForSubject(ctx, deadSubject+id)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		return err
	})
	return m, err
}

// read reads a picture to be hashed. URLs are read for their hash only.
func (s *Submit) read(ctx context.Context, from string) ([]byte, error) {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		return os.ReadFile(from)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	a, err := web.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", a.Status)
	}
	return io.ReadAll(a.Body)
}

// written tells whether a file is a job's result.
func written(path, id string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return picture.ReadText(f)["job"] == id
}

// collect writes a result into its file, whole or not at all.
func (s *Submit) collect(ctx context.Context, o *Outcome) error {
	o.State = Done
	if o.Out == "" {
		return nil
	}
	r, err := s.q.record(ctx, o.Job.ID)
	if err != nil {
		return err
	}
	var b []byte
	err = patient(ctx, int(r.Bytes), func(ctx context.Context) (err error) {
		b, err = s.q.results.GetBytes(ctx, r.Object) // held against its digest
		return err
	})
	if err != nil {
		return fmt.Errorf("its result cannot be read: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(o.Out), 0o777); err != nil {
		return err
	}
	return picture.WriteFile(o.Out, false, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(b))
		return err
	})
}

func bury(o *Outcome, letter []byte) {
	var d Dead
	o.State, o.Err = Buried, errors.New("it lies with the dead letters")
	if json.Unmarshal(letter, &d) == nil && d.Reason != "" {
		o.Err = errors.New(d.Reason)
	}
}

// wait follows records and letters until no job is pending.
func (s *Submit) wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done, err := s.q.records.WatchAll(ctx, jetstream.IgnoreDeletes(), jetstream.MetaOnly())
	if err != nil {
		return err
	}
	defer func() { _ = done.Stop() }()
	letters, err := s.q.dead.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	buried := make(chan jetstream.Msg, 64)
	c, err := letters.Consume(func(m jetstream.Msg) {
		select {
		case buried <- m:
		case <-ctx.Done():
		}
	})
	if err != nil {
		return err
	}
	defer c.Stop()
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	for len(s.pending) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-done.Updates():
			if !ok {
				return errors.New("the connection to NATS is closed")
			}
			if e != nil {
				s.arrived(ctx, e.Key())
			}
		case m := <-buried:
			id := strings.TrimPrefix(m.Subject(), deadSubject)
			for _, o := range s.pending[id] {
				bury(o, m.Data())
				s.tell(o)
			}
			delete(s.pending, id)
		case <-look.C: // news may be lost with a connection
			n := 0
			for id := range s.pending {
				if ok, err := s.q.done(ctx, id); err == nil && ok {
					s.arrived(ctx, id)
				}
				if n++; n == 100 {
					break
				}
			}
		}
	}
	return nil
}

// arrived collects the results of a job that is done.
func (s *Submit) arrived(ctx context.Context, id string) {
	for _, o := range s.pending[id] {
		var err error
		for range 10 { // the server may be on its way back
			if err = s.collect(ctx, o); err == nil || ctx.Err() != nil || errors.Is(err, os.ErrExist) {
				break
			}
			sleep(ctx, time.Second)
		}
		if err != nil {
			o.State, o.Err = Failed, err
		}
		s.tell(o)
	}
	delete(s.pending, id)
}
