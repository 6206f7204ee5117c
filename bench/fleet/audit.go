package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/i2sb-go/i2sb/fleet"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// files tells whether every good picture's result is there, whole and right,
// and nothing else.
func (s *storm) files(ctx context.Context) error {
	m, err := runtime.Open(ctx, runtime.Bytes("tiny", s.pack), runtime.WithDevice("cpu"), runtime.WithThreads(1))
	if err != nil {
		return err
	}
	defer m.Close()
	for round := range s.rounds + 1 {
		if err := s.round(ctx, m, round); err != nil {
			return err
		}
	}
	return nil
}

func (s *storm) round(ctx context.Context, m *runtime.Model, round int) error {
	for i := range s.o.jobs {
		got, err := os.ReadFile(filepath.Join(s.out(round), filepath.Base(s.path(i))))
		if s.poisoned[i] {
			if !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("picture %d is none, and has a result (%v)", i, err)
			}
			continue
		}
		if err != nil {
			return err
		}
		in, err := os.ReadFile(s.path(i))
		if err != nil {
			return err
		}
		if err := right(ctx, m, in, got, round); err != nil {
			return fmt.Errorf("picture %d: %w", i, err)
		}
	}
	all, err := os.ReadDir(s.out(round))
	if err != nil {
		return err
	}
	names := map[string]int{}
	for _, f := range all {
		names[filepath.Ext(f.Name())]++
	}
	fmt.Printf("files: %v; all %d results are right\n", names, s.o.jobs-s.o.poison)
	if names[".png"] != s.o.jobs-s.o.poison {
		return errors.New("there are other files than results")
	}
	return nil
}

func right(ctx context.Context, m *runtime.Model, in, got []byte, seed int) error {
	p, err := picture.Decode(bytes.NewReader(in), picture.Limits{})
	if err != nil {
		return err
	}
	out, _, err := m.RestorePicture(ctx, p, runtime.WithSeed(uint64(seed)))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := picture.Encode(&b, out, "png", 0); err != nil {
		return err
	}
	want, err := picture.Decode(&b, picture.Limits{})
	if err != nil {
		return err
	}
	q, err := picture.Decode(bytes.NewReader(got), picture.Limits{})
	if err != nil {
		return err
	}
	if !slices.Equal(q.Image.Pix, want.Image.Pix) {
		return errors.New("the result is another picture")
	}
	return nil
}

// store tells whether the result store has every job's result once, and the
// dead letters every poisoned one.
func (s *storm) store(ctx context.Context) error {
	q, err := fleet.Open(ctx, s.url(), fleet.Options{Wait: 3 * time.Second})
	if err != nil {
		return err
	}
	defer q.Close()
	var c fleet.Counts
	for range 100 { // the last acknowledgements may be under way
		if c, err = q.Counts(ctx); err == nil && c.Waiting+c.Held == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	missing, orphans, err := compare(ctx, s.url())
	fmt.Printf("store: %+v; results without a record %d\n", c, orphans)
	want := fleet.Counts{Done: uint64((s.rounds + 1) * (s.o.jobs - s.o.poison)), Dead: uint64((s.rounds + 1) * s.o.poison)}
	if err == nil && (c != want || missing > 0) {
		err = fmt.Errorf("the store should be %+v; %d records have no result", want, missing)
	}
	return err
}

// compare holds the records against the results.
func compare(ctx context.Context, url string) (missing, orphans int, err error) {
	conn, js, err := connect(url)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	records, err := js.KeyValue(ctx, "I2SB_RECORDS")
	if err != nil {
		return 0, 0, err
	}
	results, err := js.ObjectStore(ctx, "I2SB_RESULTS")
	if err != nil {
		return 0, 0, err
	}
	objects := map[string]string{} // digests by name
	list, err := results.List(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
		return 0, 0, err
	}
	for _, o := range list {
		objects[o.Name] = o.Digest
	}
	w, err := records.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = w.Stop() }()
	for e := range w.Updates() {
		if e == nil { // all that were there
			break
		}
		var r fleet.Record
		if err := json.Unmarshal(e.Value(), &r); err != nil {
			return 0, 0, fmt.Errorf("record %s: %w", e.Key(), err)
		}
		if objects[r.Object] != r.Digest || r.Digest == "" {
			missing++
		}
		delete(objects, r.Object)
	}
	return missing, len(objects), nil
}
