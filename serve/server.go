package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Server restores pictures for clients. Its Handler may be used with any
// http.Server; Serve brings one whose limits fit.
type Server struct {
	c       Config
	log     *slog.Logger
	tracer  trace.Tracer
	queue   *queue
	bodies  *transfers
	answers *transfers
	conns   *conns
	list    []byte // what /v1/models tells
	handler http.Handler
	ending  atomic.Bool
	running sync.WaitGroup // lanes
}

var errEnding = errors.New("the server is ending")

var noContext = context.Background()

// New makes a Server and starts its lanes; Close ends them. Engines stay the
// caller's.
func New(c Config) (*Server, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{c: c, log: c.Log, tracer: c.Tracer.Tracer("github.com/i2sb-go/i2sb/serve"),
		queue:  newQueue(c.Queue, c.MaxPixels, len(c.Engines), c.MaxWait),
		bodies: newTransfers(c.Buffer, 256<<10), answers: newTransfers(c.Buffer, 0), conns: newConns(c.Conns)}
	if s.list, err = s.listModels(); err != nil {
		return nil, err
	}
	if s.handler, err = s.routes(); err != nil {
		return nil, err
	}
	c.Metrics.gauge("queue_length", "Requests that wait for a device.", func() float64 {
		n, _ := s.queue.length()
		return float64(n)
	})
	c.Metrics.gauge("connections", "Connections.", func() float64 { return float64(s.conns.count()) })
	for _, e := range c.Engines {
		for range lanes {
			s.running.Add(1)
			go s.lane(e)
		}
	}
	return s, nil
}

// Close ends the lanes after what waits is done.
func (s *Server) Close() {
	s.ending.Store(true)
	s.queue.close()
	s.running.Wait()
}

// Serve answers on a listener, with TLS if a configuration is given, until the
// context ends. Then it takes no more, finishes what it has within the grace,
// tells the rest that it is ending, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener, t *tls.Config) error {
	base, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	h := &http.Server{
		Handler:           s.handler,
		TLSConfig:         t,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnState:         s.conns.state,
		ConnContext:       s.conns.context,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() {
		if t != nil {
			served <- h.ServeTLS(l, "", "")
		} else {
			served <- h.Serve(l)
		}
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.ending.Store(true)
	s.log.Info("ending", "grace", s.c.Grace)
	grace, cancel := context.WithTimeout(base, s.c.Grace)
	defer cancel()
	if h.Shutdown(grace) != nil {
		end(errEnding) // what still runs is told so
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = h.Shutdown(last)
		_ = h.Close()
	}
	<-served
	return nil
}
