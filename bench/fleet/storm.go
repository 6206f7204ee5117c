package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/i2sb-go/i2sb/bench/internal/child"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

// storm is a fleet whose parts are killed: two workers, of which the second is
// behind a network that is cut, a submitter, and the queue's server.
type storm struct {
	*lab
	o               options
	port            int
	net             *proxy
	server, submit  *child.Process
	workers         [2]*child.Process
	killed          map[string]int
	list, in        string
	rounds          int // the last one's number is the seed of its jobs
	poisoned        map[int]bool
	begun, finished time.Time
}

func (l *lab) storm(ctx context.Context, o options) error {
	s := &storm{lab: l, o: o, killed: map[string]int{}, list: filepath.Join(l.dir, "list"), in: filepath.Join(l.dir, "in")}
	if err := s.pictures(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	defer s.net.Close()
	if err := s.rage(ctx); err != nil {
		return err
	}
	took, n := s.finished.Sub(s.begun).Seconds(), o.jobs*(s.rounds+1)
	fmt.Printf("%d jobs, %d of them poison, in %.0f s (%.0f jobs/s); struck: %v\n", n, o.poison*(s.rounds+1), took, float64(n)/took, s.killed)
	return errors.Join(s.files(ctx), s.store(ctx))
}

// pictures writes pictures of which no two are alike, and some that are none.
func (s *storm) pictures() error {
	if err := os.Mkdir(s.in, 0o777); err != nil {
		return err
	}
	s.poisoned = map[int]bool{}
	alike := map[string]int{}
	for i := range s.o.poison {
		s.poisoned[(2*i+1)*s.o.jobs/(2*s.o.poison)] = true
	}
	var list strings.Builder
	for i := range s.o.jobs {
		b := photo(i)
		if s.poisoned[i] {
			b = fmt.Appendf(nil, "%d is no picture", i)
		}
		if other, ok := alike[string(b)]; ok { // they would be one job
			return fmt.Errorf("pictures %d and %d are alike", other, i)
		}
		alike[string(b)] = i
		if err := os.WriteFile(s.path(i), b, 0o666); err != nil {
			return err
		}
		fmt.Fprintln(&list, s.path(i))
	}
	return os.WriteFile(s.list, []byte(list.String()), 0o666)
}

// photo is a small picture; up to some ten thousand, no two are alike.
func photo(i int) []byte { return keepertest.PNG(10+i%7, 8+i/7%5, float64(i/35)*0.021) }

func (s *storm) out(round int) string { return filepath.Join(s.dir, fmt.Sprintf("out-%d", round)) }

func (s *storm) path(i int) string { return filepath.Join(s.in, fmt.Sprintf("%06d.png", i)) }

func (s *storm) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.port) }

// begin starts everything.
func (s *storm) begin() (err error) {
	if s.port, err = freePort(); err != nil {
		return err
	}
	if s.server, err = s.nats(s.port); err != nil {
		return err
	}
	if s.net, err = newProxy(fmt.Sprintf("127.0.0.1:%d", s.port)); err != nil {
		return err
	}
	s.begun = time.Now()
	for i := range s.workers {
		if err = s.work(i); err != nil {
			return err
		}
	}
	return s.hand()
}

// wait for a silent worker is short, so that not the waiting is measured.
var queueFlags = []string{"--ack-wait", "3s"}

func (s *storm) work(i int) (err error) {
	url := s.url()
	if i == 1 {
		url = "nats://" + s.net.Addr().String()
	}
	s.workers[i], err = s.start("working", s.program, append([]string{"worker", "--pack", s.file, "--device", "cpu", "--threads", "1", "--nats", url}, queueFlags...)...)
	return err
}

// hand submits everything, as often as it takes.
func (s *storm) hand() (err error) {
	s.submit, err = s.start("", s.program, append([]string{"submit", "@" + s.list, "-o", s.out(s.rounds), "--seed", fmt.Sprint(s.rounds), "--wait", "--quiet", "--nats", s.url()}, queueFlags...)...)
	return err
}

// rage kills something every now and then, until the submitter has ended by
// itself; but every part is struck, if it takes more rounds.
func (s *storm) rage(ctx context.Context) error {
	r := rand.New(rand.NewPCG(s.o.seed, 8))
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.submit.Ended():
			if code := s.submit.Wait(); code != 3 && (code != 0 || s.o.poison > 0) {
				return fmt.Errorf("the submitter ends with %d\n%s", code, s.submit.Said())
			}
			if n < parts {
				s.rounds++
				if err := s.hand(); err != nil {
					return err
				}
				continue
			}
			s.finished = time.Now()
			return nil
		case <-time.After(s.o.every/2 + time.Duration(r.Int64N(int64(s.o.every)))):
		}
		if err := s.strike(n, r); err != nil {
			return err
		}
		n++
	}
}

// parts that are struck.
const parts = 4

// strike kills one part, each as often as the others, and starts it again.
func (s *storm) strike(n int, r *rand.Rand) (err error) {
	what := []string{"worker", "network", "nats", "submit"}[n%parts]
	s.killed[what]++
	switch what {
	case "worker":
		i := r.IntN(len(s.workers))
		s.workers[i].Kill()
		return s.work(i)
	case "network":
		s.net.cut(true)
		time.Sleep(s.o.every / 2)
		s.net.cut(false)
	case "nats":
		s.server.Kill()
		time.Sleep(300 * time.Millisecond)
		s.server, err = s.nats(s.port)
	case "submit":
		s.submit.Kill()
		return s.hand()
	}
	return err
}
