package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/fleet"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/serve"
)

// worker is one member of a fleet.
type worker struct {
	*app
	queue                       queueFlags
	pack, models, device, files string
	health                      string
	threads, open               int
	precision                   string
	noTune                      bool
	w                           fleet.Worker
}

func (a *app) workerCommand() *cobra.Command {
	w := &worker{app: a}
	c := &cobra.Command{
		Use:   "worker",
		Short: "Restore pictures from a queue (NATS JetStream)",
		Long: "Takes jobs one after another until it is interrupted; the job at work then goes back to the queue. A job whose\n" +
			"worker is gone is given to another, and one that cannot succeed goes to the dead letters.",
		Example: "  i2sb-run worker --nats nats://queue:4222 --device auto\n" +
			"  i2sb-run worker --nats embedded        # one machine; submit there with i2sb-run submit",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return w.run(c.Context()) },
	}
	f := c.Flags()
	f.SortFlags = false
	w.queue.add(f)
	f.StringVar(&w.models, "models", "", "directory of packs, each asked for by its file's name without .i2sb")
	f.StringVar(&w.pack, "pack", "", "the default model, a file or URL; default: the built-in one")
	f.StringVar(&w.device, "device", "auto", "what to run on, as for restore")
	f.StringVar(&w.precision, "precision", "auto", "as for restore")
	f.BoolVar(&w.noTune, "no-tune", false, "as for restore")
	f.IntVar(&w.threads, "threads", 0, "CPU threads; 0: all")
	f.IntVar(&w.open, "open-models", 2, "models that stay loaded")
	f.StringVar(&w.files, "files", "", "folder in which submitted file: pictures lie; default: none are read")
	f.BoolVar(&w.w.URLs, "urls", false, "fetch pictures that were submitted as URLs")
	f.Int64Var(&w.w.MaxBytes, "max-bytes", maxBytes, "largest file")
	f.Int64Var(&w.w.MaxPixels, "max-pixels", 0, "largest picture; default: 268435456")
	f.StringVar(&w.health, "health", "", "address at which to answer /healthz, /readyz and /metrics; default: none")
	return c
}

func (w *worker) run(ctx context.Context) error {
	if err := checkThreads(w.threads); err != nil {
		return err
	}
	if w.w.MaxBytes < 1 || w.w.MaxPixels < 0 {
		return usagef("--max-bytes and --max-pixels are numbers from 1 on")
	}
	log := slog.New(slog.NewJSONHandler(w.stderr, nil))
	metrics := serve.NewMetrics()
	var ready atomic.Bool
	if w.health != "" {
		stop, err := w.answerHealth(metrics, &ready)
		if err != nil {
			return err
		}
		defer stop()
	}
	models, err := w.readModels(ctx, w.pack, w.models)
	if err != nil {
		return err
	}
	k, err := keeper.New(ctx, models, keeper.Options{Device: w.device, Threads: w.threads, Precision: w.precision, NoTune: w.noTune, Open: w.open, Log: slog.New(slog.NewJSONHandler(w.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), On: metrics.Keeper})
	if err != nil {
		return classify(err)
	}
	defer k.Close()
	if w.files != "" {
		if w.w.Files, err = os.OpenRoot(w.files); err != nil {
			return err
		}
		defer w.w.Files.Close()
	}
	q, stop, err := w.queue.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	w.w.Name, w.w.Engine, w.w.Models, w.w.Log = workerName(), k, models, log
	log.Info("working", "name", w.w.Name, "device", k.Device())
	ready.Store(true)
	defer ready.Store(false)
	return w.w.Run(ctx, q)
}

// answerHealth answers a scheduler's probes, and Prometheus.
func (w *worker) answerHealth(m *serve.Metrics, ready *atomic.Bool) (stop func(), err error) {
	l, err := net.Listen("tcp", w.health)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/readyz", func(rw http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			http.Error(rw, "not ready", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/metrics", m.Handler())
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }()
	return func() { s.Close() }, nil
}
