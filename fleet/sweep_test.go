package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What killed workers and submitters left goes once it is old; results that
// have their record stay, and what may still be at work stays.
func TestSweep(t *testing.T) {
	url, stop := embedded(t, t.TempDir(), -1)
	defer stop()
	end := work(t, url, &echo{})
	q := open(t, url)
	in := photos(t, 3)
	submit(t, q, Submit{}, in)
	end()
	ctx := t.Context()
	id := NewJob("0", "object:0", Parameters{}).ID
	known := submit(t, q, Submit{}, in[:1])[0].Job.ID
	for _, name := range []string{id + ".a", known + ".b"} { // killed before the record; a second one's
		if _, err := q.results.PutBytes(ctx, name, []byte("result")); err != nil {
			t.Fatal(err)
		}
	}
	for _, store := range []string{inputs, results} { // killed in an object
		if _, err := q.js.Publish(ctx, "$O."+store+".C.nobody", []byte("part")); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (n int) {
		all, err := q.results.List(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, store := range []string{inputs, results} {
			s, err := q.js.Stream(ctx, "OBJ_"+store)
			if err != nil {
				t.Fatal(err)
			}
			i, err := s.Info(ctx, jetstream.WithSubjectFilter("$O."+store+".C.nobody"))
			if err != nil {
				t.Fatal(err)
			}
			n += len(i.State.Subjects)
		}
		return n + len(all)
	}
	if n, err := q.Sweep(ctx, time.Hour); n != 0 || err != nil || count() != 3+4 {
		t.Errorf("what is young: %d went, %d are left, %v", n, count(), err)
	}
	if n, err := q.Sweep(ctx, 0); n != 4 || err != nil || count() != 3 {
		t.Errorf("what is old: %d went, %d are left, %v", n, count(), err)
	}
	left := filepath.Join(filepath.Dir(in[0].Out), ".i2sb-ABCDEFGHIJKL.tmp")
	if err := os.WriteFile(left, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} { // a living writer's, a dead one's
		if i == 1 {
			old := time.Now().Add(-2 * leftAfter)
			if err := os.Chtimes(left, old, old); err != nil {
				t.Fatal(err)
			}
		}
		os.Remove(in[0].Out) // the result comes from the store again
		if o := submit(t, q, Submit{}, in)[0]; o.State != Done || fmt.Sprint(pixels(t, o.Out)) != fmt.Sprint(pixels(t, o.From)) {
			t.Errorf("after sweeping: %+v", o)
		}
		if _, err := os.Lstat(left); (err == nil) != want {
			t.Errorf("the temporary file: %v", err)
		}
	}
}
