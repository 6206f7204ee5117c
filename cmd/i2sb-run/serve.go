package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/serve"
	"github.com/i2sb-go/i2sb/wasm/page"
	"github.com/i2sb-go/i2sb/wasm/site"
)

// server serves one command line.
type server struct {
	*app
	addr, pack, models, tokens, cert, key, otlp, level string
	devices                                            []string
	threads, open                                      int
	precision                                          string
	noTune                                             bool
	page                                               bool
	c                                                  serve.Config
}

func (a *app) serveCommand() *cobra.Command {
	s := &server{app: a}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Restore pictures over HTTP",
		Long: "Answers POST /v1/restore with restored pictures; /openapi.yaml describes it. The first SIGTERM lets what runs\n" +
			"finish and exits with 0, the second ends at once. Logs are JSON lines on standard error, without pictures or tokens.",
		Example: "  i2sb-run serve --addr localhost:8080\n" +
			"  curl --data-binary @photo.jpg -o restored.png localhost:8080/v1/restore",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.run(c.Context()) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&s.addr, "addr", "localhost:8080", "address to listen on")
	f.StringVar(&s.models, "models", "", "directory of packs, each asked for by its file's name without .i2sb")
	f.StringVar(&s.pack, "pack", "", "the default model, a file or URL; default: the built-in one")
	f.StringSliceVar(&s.devices, "device", []string{"auto"}, "what to run on, as for restore; several work side by side")
	f.StringVar(&s.precision, "precision", "auto", "as for restore")
	f.BoolVar(&s.noTune, "no-tune", false, "as for restore")
	f.IntVar(&s.threads, "threads", 0, "CPU threads; 0: all")
	f.IntVar(&s.open, "open-models", 2, "models that stay loaded on a device")
	f.Int64Var(&s.c.MaxBytes, "max-bytes", 32<<20, "largest body")
	f.Int64Var(&s.c.MaxPixels, "max-pixels", 16<<20, "largest picture, and largest result")
	f.IntVar(&s.c.Queue, "queue", 64, "requests that may wait")
	f.DurationVar(&s.c.MaxWait, "max-wait", 30*time.Second, "for which a request may be expected to wait")
	f.IntVar(&s.c.Batch, "batch", 1, "pictures of equal size that a device gets together")
	f.DurationVar(&s.c.Deadline, "deadline", 5*time.Minute, "from a request's arrival to its result")
	f.DurationVar(&s.c.Grace, "grace", 30*time.Second, "for what runs when the server ends")
	f.IntVar(&s.c.Conns, "max-connections", 2048, "connections at once")
	f.StringVar(&s.tokens, "tokens", "", "file of bearer tokens, one a line, perhaps after a name")
	f.StringVar(&s.cert, "tls-cert", "", "certificate, PEM")
	f.StringVar(&s.key, "tls-key", "", "its key, PEM")
	f.StringSliceVar(&s.c.Origins, "cors", nil, "origins whose pages may use the server, such as https://example.com")
	f.BoolVar(&s.page, "page", true, "serve a page at / that sends pictures to this server")
	f.StringVar(&s.otlp, "otlp", "", "URL to send OpenTelemetry traces to, such as http://localhost:4318")
	f.StringVar(&s.level, "log", "info", "debug, info, warn or error")
	return c
}

func (s *server) run(ctx context.Context) error {
	if err := s.check(); err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.level)); err != nil {
		return usagef("--log %s: there are debug, info, warn and error", s.level)
	}
	s.c.Log = slog.New(slog.NewJSONHandler(s.stderr, &slog.HandlerOptions{Level: level}))
	tlsConfig, err := s.certificate()
	if err != nil {
		return err
	}
	if s.tokens != "" {
		f, err := os.Open(s.tokens)
		if err != nil {
			return err
		}
		s.c.Tokens, err = serve.ReadTokens(f)
		f.Close()
		if err != nil {
			return &fileError{s.tokens, err}
		}
	}
	if s.page {
		files, err := page.Remote()
		if err != nil {
			return err
		}
		s.c.Page = site.Handler(files, false)
	}
	if s.c.Models, err = s.readModels(ctx, s.pack, s.models); err != nil {
		return err
	}
	if s.otlp != "" {
		end, err := s.traces(ctx)
		if err != nil {
			return err
		}
		defer end()
	}
	l, err := net.Listen("tcp", s.addr) // before models are loaded: it tells soonest
	if err != nil {
		return err
	}
	defer l.Close()
	s.c.Metrics = serve.NewMetrics()
	for _, device := range s.devices {
		k, err := keeper.New(ctx, s.c.Models, keeper.Options{Device: device, Threads: s.threads, Precision: s.precision, NoTune: s.noTune, Open: s.open, Log: s.c.Log, On: s.c.Metrics.Keeper})
		if err != nil {
			return classify(err)
		}
		defer k.Close()
		s.c.Engines = append(s.c.Engines, k)
	}
	server, err := serve.New(s.c)
	if err != nil {
		return &usageError{err}
	}
	s.c.Log.Info("serving", "address", l.Addr().String(), "tls", tlsConfig != nil, "models", len(s.c.Models), "device", s.c.Engines[0].Device())
	err = server.Serve(ctx, l, tlsConfig)
	server.Close()
	return err
}

func (s *server) check() error {
	if err := checkThreads(s.threads); err != nil {
		return err
	}
	for name, v := range map[string]int64{"max-bytes": s.c.MaxBytes, "max-pixels": s.c.MaxPixels, "queue": int64(s.c.Queue), "batch": int64(s.c.Batch),
		"max-wait": int64(s.c.MaxWait), "deadline": int64(s.c.Deadline), "grace": int64(s.c.Grace), "max-connections": int64(s.c.Conns), "open-models": int64(s.open)} {
		if v < 1 {
			return usagef("--%s %d: a number from 1 on", name, v)
		}
	}
	if (s.cert == "") != (s.key == "") {
		return usagef("--tls-cert and --tls-key go together")
	}
	return nil
}

func (s *server) certificate() (*tls.Config, error) {
	if s.cert == "" {
		return nil, nil
	}
	c, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, &fileError{s.cert, err}
	}
	return &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}, nil
}
