package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// body is what a request brings, still encoded.
type body struct {
	image, mask []byte
	w, h        int // as the header of the image says
	room        *transfer
}

// pacedReader reads a body at the pace that clients must keep.
type pacedReader struct {
	from    io.Reader
	control *http.ResponseController
	x       *transfer
}

func (r *pacedReader) Read(b []byte) (int, error) {
	if r.x.slow.Load() {
		return 0, os.ErrDeadlineExceeded
	}
	_ = r.control.SetReadDeadline(r.x.of.pace.due(r.x.start, r.x.moved.Load()))
	if r.x.slow.Load() { // cut off between the two
		return 0, os.ErrDeadlineExceeded
	}
	n, err := r.from.Read(b)
	r.x.moved.Add(int64(n))
	return n, err
}

// read reads a request's body and holds the pictures' sizes against the
// limits, without decoding a pixel.
func (s *Server) read(w http.ResponseWriter, r *http.Request, q *request) (*body, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Header.Get("Content-Type") != "" && err != nil {
		return nil, problem("unsupported-type", "the Content-Type cannot be read")
	}
	switch {
	case r.Header.Get("Content-Encoding") != "":
		return nil, problem("unsupported-type", "bodies with a Content-Encoding are not read")
	case kind == "multipart/form-data", kind == "", strings.HasPrefix(kind, "image/"), kind == "application/octet-stream",
		kind == "application/x-www-form-urlencoded": // what curl says of any --data
	default:
		return nil, problem("unsupported-type", "send a picture, or multipart/form-data with a part named image; not %s", kind)
	}
	if r.ContentLength > s.c.MaxBytes {
		return nil, tooManyBytes(s.c.MaxBytes)
	}
	size := r.ContentLength
	if size < 0 {
		size = s.c.MaxBytes
	}
	control := http.NewResponseController(w)
	x, err := s.bodies.begin(r.Context(), size, 2*time.Second, func() { _ = control.SetReadDeadline(time.Unix(1, 0)) })
	if errors.Is(err, errBusy) {
		return nil, s.full("bodies of others fill the buffer")
	}
	if err != nil {
		return nil, err
	}
	b := &body{room: x}
	paced := &pacedReader{http.MaxBytesReader(w, r.Body, s.c.MaxBytes), control, x}
	if kind == "multipart/form-data" {
		err = b.parts(paced, params["boundary"])
	} else {
		all := bytes.NewBuffer(make([]byte, 0, min(max(r.ContentLength, 0), 256<<10)+bytes.MinRead))
		_, err = all.ReadFrom(paced)
		b.image = all.Bytes()
	}
	_ = control.SetReadDeadline(time.Time{}) // from here on, reading only tells that the client went away
	x.arrived()
	s.c.Metrics.bytes.WithLabelValues("in").Add(float64(x.moved.Load()))
	if err == nil {
		err = b.check(q, s.c.MaxPixels)
	}
	if err != nil {
		x.end()
		return nil, s.readProblem(r.Context(), err)
	}
	return b, nil
}

func (s *Server) readProblem(ctx context.Context, err error) error {
	var tooLarge *http.MaxBytesError
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge):
		return tooManyBytes(tooLarge.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem("slow-client", "bodies must come at %d KiB a second or more", s.bodies.pace.rate>>10)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return problem("cut-off", "the body ended before its length")
	case ctx.Err() != nil:
		return err
	}
	var format *picture.FormatError
	if errors.As(err, &format) {
		return err
	}
	return problem("cut-off", "the body cannot be read: %v", err)
}

func tooManyBytes(limit int64) *Problem {
	return problem("too-many-bytes", "bodies may have %d bytes", limit)
}

// parts reads a multipart body: the picture in the part image, and for
// inpainting the one in the part mask.
func (b *body) parts(r io.Reader, boundary string) error {
	if boundary == "" {
		return problem("bad-multipart", "the Content-Type names no boundary")
	}
	m := multipart.NewReader(r, boundary)
	for {
		p, err := m.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return multipartProblem(err)
		}
		var to *[]byte
		switch p.FormName() {
		case "image":
			to = &b.image
		case "mask":
			to = &b.mask
		default:
			return problem("bad-multipart", "there is no part %q; there are image and mask, and parameters go into the query", p.FormName())
		}
		if *to != nil {
			return problem("bad-multipart", "the part %s comes twice", p.FormName())
		}
		if *to, err = io.ReadAll(p); err != nil {
			return multipartProblem(err)
		}
	}
	if b.image == nil {
		return problem("bad-multipart", "there is no part named image")
	}
	return nil
}

// multipartProblem tells what multipart cannot read from what did not come.
func multipartProblem(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return problem("bad-multipart", "%v", err)
}

// check holds the sizes in the pictures' headers against the limit. The result
// counts, too.
func (b *body) check(q *request, limit int64) error {
	scale := 1
	if runtime.Family(q.settings.Task) == "sr4x" {
		scale = 4
	}
	if b.mask != nil {
		if _, _, err := sizeWithin(b.mask, scale, limit); err != nil {
			return err
		}
	}
	var err error
	b.w, b.h, err = sizeWithin(b.image, scale, limit)
	return err
}

func sizeWithin(b []byte, scale int, limit int64) (w, h int, err error) {
	defer func() { // decoders are others' code; a panic in one is a bad file
		if v := recover(); v != nil {
			err = &picture.FormatError{Reason: fmt.Sprintf("damaged (%v)", v)}
		}
	}()
	c, _, err := picture.DecodeConfig(b)
	if err != nil {
		return 0, 0, err
	}
	if int64(c.Width)*int64(c.Height) > limit/int64(scale*scale) {
		return 0, 0, problem("too-many-pixels", "the picture has %d×%d pixels, enlarged %d times; results may have %d pixels", c.Width, c.Height, scale, limit)
	}
	return c.Width, c.Height, nil
}

// decode decodes what was read.
func (b *body) decode(limit int64) (*picture.Picture, *runtime.Mask, error) {
	limits := picture.Limits{Bytes: int64(len(b.image) + len(b.mask)), Pixels: limit}
	p, err := picture.DecodeBytes(b.image, limits)
	if err != nil || b.mask == nil {
		return p, nil, err
	}
	values, w, h, err := picture.DecodeMask(bytes.NewReader(b.mask), limits)
	if err != nil {
		return nil, nil, problem("bad-picture", "mask: %v", err)
	}
	return p, &runtime.Mask{W: w, H: h, Values: values}, nil
}
