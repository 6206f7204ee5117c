package serve

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

// answerHeaders tell how a result was made.
var answerHeaders = []string{"I2sb-Model", "I2sb-Task", "I2sb-Sampler", "I2sb-Steps", "I2sb-Seed", "I2sb-Device", "I2sb-Tiles", "I2sb-Lossy"}

// made is what there is to tell about a result, in the order of answerHeaders.
func (j *job) made() []string {
	r := j.answer.result
	return []string{j.shape.model, r.Task, r.Sampler, strconv.Itoa(r.Steps), strconv.FormatUint(r.Seed, 10), j.answer.device,
		strconv.Itoa(r.Tiles), j.answer.lossy}
}

// timing is a Server-Timing header, in milliseconds.
func (j *job) timing() string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("queue;dur=%.1f, decode;dur=%.1f, restore;dur=%.1f, encode;dur=%.1f",
		ms(j.begun.Sub(j.entered)-j.decoded), ms(j.decoded), ms(j.answer.result.Elapsed), ms(j.encoded))
}

// send sends a result.
func (s *Server) send(w http.ResponseWriter, r *http.Request, j *job) {
	h := w.Header()
	for i, v := range j.made() {
		if v != "" {
			h.Set(answerHeaders[i], v)
		}
	}
	h.Set("Server-Timing", j.timing())
	h.Set("Content-Type", types[j.request.format])
	h.Set("Content-Length", strconv.Itoa(len(j.answer.bytes)))
	h.Set("Cache-Control", "no-store")
	s.deliver(w, r, j, func(w io.Writer) error {
		_, err := w.Write(j.answer.bytes)
		return err
	})
}

// deliver writes a result at the pace that clients must keep. One who does not
// sees that the answer is cut off.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, j *job, write func(io.Writer) error) {
	control := http.NewResponseController(w)
	// The result is there: no deadline but the pace holds for sending it.
	x, err := s.answers.begin(context.WithoutCancel(r.Context()), int64(len(j.answer.bytes)), 30*time.Second,
		func() { _ = control.SetWriteDeadline(time.Unix(1, 0)) })
	if err != nil {
		s.fail(w, r, s.full("results of others fill the buffer"))
		return
	}
	defer x.end()
	if err := write(&pacedWriter{w, control, x}); err != nil {
		exchangeOf(r.Context()).problem = gone()
		panic(http.ErrAbortHandler)
	}
	s.c.Metrics.bytes.WithLabelValues("out").Add(float64(x.moved.Load()))
}

// pacedWriter writes at the pace that clients must keep.
type pacedWriter struct {
	to      io.Writer
	control *http.ResponseController
	x       *transfer
}

const piece = 64 << 10

func (w *pacedWriter) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		_ = w.control.SetWriteDeadline(w.x.of.pace.due(w.x.start, w.x.moved.Load()))
		if w.x.slow.Load() {
			return n, os.ErrDeadlineExceeded
		}
		m, err := w.to.Write(b[:min(len(b), piece)])
		n += m
		w.x.moved.Add(int64(m))
		if err != nil {
			return n, err
		}
		b = b[m:]
	}
	return n, nil
}
