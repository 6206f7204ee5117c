package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/i2sb-go/i2sb/fleet"
)

// queueFlags say where a fleet's queue is.
type queueFlags struct {
	url, addr, dir string
	o              fleet.Options
}

func (q *queueFlags) add(f *pflag.FlagSet) {
	f.StringVar(&q.url, "nats", "nats://127.0.0.1:4222", "URL of a NATS server or cluster with JetStream, or embedded: one in this process")
	f.StringVar(&q.addr, "nats-addr", "127.0.0.1:4222", "where the embedded server listens")
	f.StringVar(&q.dir, "nats-dir", "i2sb-nats", "folder in which the embedded server keeps everything")
	f.StringVar(&q.o.Creds, "nats-creds", "", "credentials file of NATS")
	f.IntVar(&q.o.Replicas, "replicas", 1, "copies of everything in a cluster")
	f.IntVar(&q.o.Pending, "max-held", 256, "jobs that all workers together may hold")
	f.IntVar(&q.o.Attempts, "attempts", 5, "attempts after which a job goes to the dead letters")
	f.DurationVar(&q.o.Wait, "ack-wait", 30*time.Second, "until a job whose worker is silent is given to another")
}

// open connects, after it has started an embedded server if that is asked for.
func (q *queueFlags) open(ctx context.Context) (_ *fleet.Queue, stop func(), err error) {
	for name, v := range map[string]int64{"replicas": int64(q.o.Replicas), "max-held": int64(q.o.Pending), "attempts": int64(q.o.Attempts), "ack-wait": int64(q.o.Wait)} {
		if v < 1 {
			return nil, nil, usagef("--%s %d: a number from 1 on", name, v)
		}
	}
	end := func() {}
	url := q.url
	if url == "embedded" {
		host, text, err := net.SplitHostPort(q.addr)
		port, err2 := strconv.Atoi(text)
		if err != nil || err2 != nil {
			return nil, nil, usagef("--nats-addr %s: write HOST:PORT", q.addr)
		}
		if url, end, err = fleet.Embedded(host, port, q.dir); err != nil {
			return nil, nil, err
		}
	}
	queue, err := fleet.Open(ctx, url, q.o)
	if err != nil {
		end()
		return nil, nil, err
	}
	return queue, func() { queue.Close(); end() }, nil
}

// workerName tells machines and processes apart.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// absolute makes paths that do not depend on the present folder.
func absolute(paths ...*string) error {
	for _, p := range paths {
		if *p == "" {
			continue
		}
		a, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = a
	}
	return nil
}
