package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"slices"
	"strings"
	"sync"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// kind is a request that is made again and again, and the picture that must
// come back.
type kind struct {
	query, contentType string
	body               []byte
	w, h, steps        int // of the walk
	events             bool
	want               []float32 // the result's pixels
	wantW, wantH       int

	mu    sync.Mutex
	known [][sha256.Size]byte // answers that were found right
}

// sides of the pictures, in the order in which they are asked for. The tiny
// network has attention at full size, which larger ones would make slow.
var sides = [][2]int{{16, 16}, {48, 48}, {33, 17}, {64, 40}, {12, 70}, {40, 24}, {25, 25}, {14, 15}}

// makeKinds makes requests of mixed sizes, formats and ways to ask, with
// answers that this process computes with the same pack. No two have the same
// answer, so that one that is mixed up is seen.
func makeKinds(ctx context.Context, pack []byte, n int) ([]*kind, error) {
	m, err := runtime.Open(ctx, runtime.Bytes("pack", pack), runtime.WithDevice("cpu"))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var all []*kind
	for i := range n {
		side := sides[i%len(sides)]
		k := &kind{w: side[0], h: side[1], steps: 1 + i%3, body: keepertest.PNG(side[0], side[1], float64(i)), contentType: "image/png", events: i%5 == 4}
		task, format := "jpeg", []string{"png", "png", "bmp", "jpeg"}[i%4]
		if i%7 == 6 && side[0] <= 16 {
			task = "sr4x"
			k.w, k.h = 4*k.w, 4*k.h
		}
		k.query = fmt.Sprintf("task=%s&steps=%d&seed=%d&format=%s", task, k.steps, i, format)
		if err := k.expect(ctx, m, task, format, uint64(i)); err != nil {
			return nil, err
		}
		if i%6 == 5 {
			k.body, k.contentType = form(k.body)
		}
		all = append(all, k)
	}
	return all, nil
}

func (k *kind) expect(ctx context.Context, m *runtime.Model, task, format string, seed uint64) error {
	p, err := picture.Decode(bytes.NewReader(k.body), picture.Limits{})
	if err != nil {
		return err
	}
	out, _, err := m.RestorePicture(ctx, p, runtime.WithTask(task), runtime.WithSteps(k.steps), runtime.WithSeed(seed))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := picture.Encode(&b, out, format, 95); err != nil {
		return err
	}
	k.want, k.wantW, k.wantH, err = pixels(b.Bytes())
	return err
}

func form(image []byte) (body []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, _ := w.CreateFormFile("image", "photo.png") // a buffer takes everything
	_, _ = part.Write(image)
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}

func pixels(b []byte) (pix []float32, w, h int, err error) {
	p, err := picture.Decode(bytes.NewReader(b), picture.Limits{})
	if err != nil {
		return nil, 0, 0, err
	}
	return p.Image.Pix, p.Image.W, p.Image.H, nil
}

// judge tells whether an answer is the picture that must come back, to the
// last bit.
func (k *kind) judge(answer []byte) error {
	sum := sha256.Sum256(answer)
	k.mu.Lock()
	defer k.mu.Unlock()
	if slices.Contains(k.known, sum) {
		return nil
	}
	pix, w, h, err := pixels(answer)
	switch {
	case err != nil:
		return fmt.Errorf("the answer is no whole picture: %w", err)
	case w != k.wantW || h != k.wantH:
		return fmt.Errorf("the answer has %d×%d pixels, not %d×%d", w, h, k.wantW, k.wantH)
	case !slices.Equal(pix, k.want):
		return errors.New("the answer is another picture")
	}
	k.known = append(k.known, sum)
	return nil
}

// lastEvent takes the picture out of a stream of events.
func lastEvent(stream []byte) (picture []byte, timing string, err error) {
	parts := strings.Split(strings.TrimSuffix(string(stream), "\n\n"), "\n\n")
	name, data, _ := strings.Cut(parts[len(parts)-1], "\n")
	if name != "event: result" {
		return nil, "", fmt.Errorf("the stream ends with %.100q", parts[len(parts)-1])
	}
	var e struct{ Data, Timing string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(data, "data: ")), &e); err != nil {
		return nil, "", err
	}
	picture, err = base64.StdEncoding.DecodeString(e.Data)
	return picture, e.Timing, err
}

// bad is a request that must be refused with a code.
type bad struct {
	query, contentType string
	body               []byte
	code               string
}

func badRequests() []bad {
	photo := keepertest.PNG(40, 30, 0)
	multi, kind := form(photo)
	return []bad{
		{"", "image/png", nil, "bad-picture"},
		{"", "image/png", photo[:len(photo)/2], "bad-picture"},
		{"", "image/jpeg", []byte("This is no picture."), "bad-picture"},
		{"", "image/png", bomb(), "too-many-pixels"},
		{"", kind, multi[:len(multi)/2], "bad-multipart"},
		{"", "multipart/form-data", multi, "bad-multipart"},
		{"", "application/json", []byte("{}"), "unsupported-type"},
		{"steps=0", "image/png", photo, "bad-parameter"},
		{"colour=1", "image/png", photo, "bad-parameter"},
		{"model=none", "image/png", photo, "no-such-model"},
	}
}
