// Fleet kills workers, submitters and the queue's server, cuts the network
// between them, and tells whether every picture came back once and whole. It
// also measures what two workers do beside one, and what the queue itself can
// carry. It builds the command and ends by itself:
//
//	go run ./bench/fleet storm --jobs 10000
//	go run ./bench/fleet scale
//	go run ./bench/fleet queue
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/i2sb-go/i2sb/bench/internal/child"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

const usage = `go run ./bench/fleet storm|scale|queue [--program i2sb-run] [--jobs 10000] [--poison 20] [--every 5s] [--seed 1] [--for 25s]

storm  jobs are done while, about every so often, a process is killed or the network is cut
scale  two workers, each on a processor of its own, beside one
queue  jobs a second with an engine that does nothing
`

type options struct {
	program      string
	jobs, poison int
	every, span  time.Duration
	seed         uint64
}

func main() {
	beNATS()
	o := options{}
	f := flag.NewFlagSet("fleet", flag.ExitOnError)
	f.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	f.IntVar(&o.jobs, "jobs", 10000, "")
	f.IntVar(&o.poison, "poison", 20, "")
	f.DurationVar(&o.every, "every", 5*time.Second, "")
	f.StringVar(&o.program, "program", "", "")
	f.DurationVar(&o.span, "for", 25*time.Second, "")
	f.Uint64Var(&o.seed, "seed", 1, "")
	does := map[string]func(*lab, context.Context, options) error{"storm": (*lab).storm, "scale": (*lab).scale, "queue": (*lab).queue}
	if len(os.Args) < 2 || does[os.Args[1]] == nil {
		f.Usage()
		os.Exit(2)
	}
	_ = f.Parse(os.Args[2:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := newLab(ctx, o.program)
	if err == nil {
		err = does[os.Args[1]](l, ctx, o)
		l.close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/fleet:", err)
		os.Exit(1)
	}
}

// lab is the command, built, the tests' tiny pack, and all that is started.
type lab struct {
	dir, program, file string
	store              string // the folder of the queue's server, in dir
	pack               []byte
	running            []*child.Process
}

func newLab(ctx context.Context, program string) (_ *lab, err error) {
	l := &lab{store: "nats"}
	if l.dir, err = os.MkdirTemp("", "i2sb-fleet-"); err != nil {
		return nil, err
	}
	l.file = filepath.Join(l.dir, "pack.i2sb")
	if l.pack, err = keepertest.MakePack(); err == nil {
		err = os.WriteFile(l.file, l.pack, 0o666)
	}
	if l.program = program; err == nil && program == "" {
		l.program, err = child.Build(ctx, l.dir)
	}
	if err != nil {
		l.close()
	}
	return l, err
}

// start starts a process that close ends.
func (l *lab) start(msg, name string, args ...string) (*child.Process, error) {
	p, _, err := child.Start(msg, name, args...)
	if err == nil {
		l.running = append(l.running, p)
	}
	return p, err
}

func (l *lab) close() {
	for _, p := range l.running {
		p.Kill()
	}
	os.RemoveAll(l.dir)
}
