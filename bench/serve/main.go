// Serve puts load on the service, attacks it, and compares what it gets done
// with what the network could do. It builds the command, runs it in a process
// of its own, and ends by itself:
//
//	go run ./bench/serve load --for 10m
//	go run ./bench/serve attack --for 30s
//	go run ./bench/serve rate
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
	"github.com/i2sb-go/i2sb/weights/pack0"
)

const usage = `go run ./bench/serve load|attack|rate [--program i2sb-run] [--for 10m] [--bound 10s] [--pack tiny|default] [--clients 64] [--connections 10000] [--sizes 256x256,…] [--steps 1] [--format png] [--rounds 3]

load    clients ask for mixed sizes; 5 % send bad bodies, 5 % go away; every answer is compared with the expected picture
attack  each attack for the time given, while others must be answered within the bound
rate    evaluations a second under load, in turn with those of i2sb-run bench
`

// options are the flags of all three.
type options struct {
	program, pack, sizes, format        string
	clients, connections, steps, rounds int
	span, bound                         time.Duration
}

func main() {
	var o options
	f := flag.NewFlagSet("serve", flag.ExitOnError)
	f.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	f.StringVar(&o.program, "program", "", "")
	f.DurationVar(&o.span, "for", 10*time.Second, "")
	f.DurationVar(&o.bound, "bound", 10*time.Second, "")
	f.IntVar(&o.clients, "clients", 64, "")
	f.IntVar(&o.connections, "connections", 10000, "")
	f.StringVar(&o.pack, "pack", "", "")
	f.StringVar(&o.sizes, "sizes", "256x256", "")
	f.StringVar(&o.format, "format", "png", "")
	f.IntVar(&o.steps, "steps", 1, "")
	f.IntVar(&o.rounds, "rounds", 3, "")
	does := map[string]func(*lab, context.Context, options) error{"load": (*lab).load, "attack": (*lab).attack, "rate": (*lab).rate}
	if len(os.Args) < 2 || does[os.Args[1]] == nil {
		f.Usage()
		os.Exit(2)
	}
	_ = f.Parse(os.Args[2:])
	if o.pack == "" {
		o.pack = map[string]string{"rate": "default"}[os.Args[1]]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := newLab(ctx, o.program, o.pack == "default")
	if err == nil {
		err = does[os.Args[1]](l, ctx, o)
		l.close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/serve:", err)
		os.Exit(1)
	}
}

// lab is the command, built, and the pack that it serves: the tests' tiny one,
// so that the service and not the network is at work, or the built-in one.
type lab struct {
	dir, program, file string
	pack               []byte
}

func newLab(ctx context.Context, program string, builtIn bool) (_ *lab, err error) {
	l := &lab{pack: []byte(pack0.Pack)}
	if l.dir, err = os.MkdirTemp("", "i2sb-serve-"); err != nil {
		return nil, err
	}
	l.file = filepath.Join(l.dir, "pack.i2sb")
	if !builtIn {
		l.pack, err = keepertest.MakePack()
	}
	if err == nil {
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

func (l *lab) close() { os.RemoveAll(l.dir) }
