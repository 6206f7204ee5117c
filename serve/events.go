package serve

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// A stream of events tells, in this order: queued, step and preview as they
// come, and result or error at last. Their data is JSON.
type (
	queuedEvent struct {
		Ahead int `json:"ahead"` // pictures that wait already
	}
	stepEvent struct {
		Done int `json:"done"`
		Of   int `json:"of"`
	}
	pictureEvent struct {
		Type   string `json:"type"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
		// and at last the picture: "data" in base64
	}
	resultEvent struct {
		pictureEvent
		Made   map[string]string `json:"made"` // by the names of headers
		Timing string            `json:"timing"`
	}
)

// news is what a stream has to tell. It never waits for the client: steps are
// few and small, and of previews only the last one is kept.
type news struct {
	mu      sync.Mutex
	steps   []stepEvent
	preview []byte
	size    pictureEvent
	wanted  bool // the last preview was sent, and another may be made
	more    chan struct{}
}

// stepped is told of a step, on the lane's goroutine.
func (n *news) stepped(st runtime.Step) {
	n.mu.Lock()
	n.steps = append(n.steps, stepEvent{st.Done, st.Of})
	wanted := n.wanted && st.Done < st.Of
	n.mu.Unlock()
	if wanted {
		n.see(st)
	}
	select {
	case n.more <- struct{}{}:
	default:
	}
}

// previewSide bounds the sides of previews, in pixels.
const previewSide = 256

// see makes a preview of the present estimate.
func (n *news) see(st runtime.Step) {
	x, err := st.X0()
	if err != nil {
		return // the walk will say so itself
	}
	x = shrink(x, previewSide)
	var b bytes.Buffer
	if err := picture.Encode(&b, &picture.Picture{Image: x, Depth: 8, Grey: x.C == 1}, "jpeg", 80); err != nil {
		return // a network of other than 1 or 3 channels
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.preview, n.size, n.wanted = b.Bytes(), pictureEvent{"image/jpeg", x.W, x.H}, false
}

// shrink takes means of squares so that no side is longer than side.
func shrink(x *bridge.Image, side int) *bridge.Image {
	n := (max(x.W, x.H) + side - 1) / side
	if n == 1 {
		return x
	}
	y := bridge.NewImage(x.C, max(1, x.H/n), max(1, x.W/n))
	for c := range y.C {
		in, out := x.Plane(c), y.Plane(c)
		for i := range y.H {
			for j := range y.W {
				var sum float32
				rows, cols := min(n, x.H-i*n), min(n, x.W-j*n)
				for k := range rows {
					for _, v := range in[(i*n+k)*x.W+j*n:][:cols] {
						sum += v
					}
				}
				out[i*y.W+j] = sum / float32(rows*cols)
			}
		}
	}
	return y
}

func (n *news) take() (steps []stepEvent, preview []byte, size pictureEvent) {
	n.mu.Lock()
	defer n.mu.Unlock()
	steps, preview, size = n.steps, n.preview, n.size
	n.steps, n.preview = nil, nil
	if preview != nil {
		n.wanted = true
	}
	return
}

// stream answers with events.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, j *job) {
	n := &news{wanted: j.request.previews, more: make(chan struct{}, 1)}
	j.watch = n.stepped
	ahead, _ := s.queue.length()
	if err := s.admit(j); err != nil {
		s.fail(w, r, problemOf(j.ctx, err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies should pass it on at once
	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	out.event("queued", queuedEvent{ahead}, nil)
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	for running := true; running; {
		select {
		case <-n.more:
		case <-alive.C:
			out.comment()
		case <-j.done:
			running = false
		case <-j.ctx.Done():
			running = false
		}
		steps, preview, size := n.take()
		for _, e := range steps {
			out.event("step", e, nil)
		}
		if preview != nil {
			out.event("preview", size, preview)
		}
		if out.err != nil {
			s.leave(j)
			s.fail(w, r, gone())
		}
	}
	if err := s.wait(j); err != nil {
		p := problemOf(j.ctx, err)
		exchangeOf(r.Context()).problem = p
		out.event("error", p, nil)
		return
	}
	s.noteResult(j)
	made := map[string]string{}
	for i, v := range j.made() {
		if v != "" {
			made[answerHeaders[i]] = v
		}
	}
	s.deliver(w, r, j, func(w io.Writer) error {
		return writeEvent(w, "result", resultEvent{pictureEvent{types[j.request.format], j.answer.w, j.answer.h}, made, j.timing()}, j.answer.bytes)
	})
}

// eventWriter writes small events; what it cannot write soon ends the request.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func (e *eventWriter) event(name string, data any, picture []byte) {
	e.write(func() error { return writeEvent(e.w, name, data, picture) })
}

func (e *eventWriter) comment() {
	e.write(func() error {
		_, err := io.WriteString(e.w, ": still here\n\n")
		return err
	})
}

func (e *eventWriter) write(f func() error) {
	if e.err != nil {
		return
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(usualPace.grace))
	if e.err = f(); e.err == nil {
		e.err = e.control.Flush()
	}
}

// writeEvent writes an event; a picture goes to the end of its data.
func writeEvent(w io.Writer, name string, data any, picture []byte) error {
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if picture == nil {
		_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, b)
		return err
	}
	if _, err := fmt.Fprintf(w, "event: %s\ndata: %s,\"data\":\"", name, b[:len(b)-1]); err != nil {
		return err
	}
	e := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := e.Write(picture); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	_, err = io.WriteString(w, "\"}\n\n")
	return err
}
