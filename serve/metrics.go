package serve

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/i2sb-go/i2sb/runtime/keeper"
)

// Metrics are what /metrics tells. One serves one Server.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec   // by status code
	request  prometheus.Histogram     // of /v1/restore, to the last byte
	waiting  prometheus.Histogram     // in the queue
	restore  *prometheus.HistogramVec // by model
	step     *prometheus.HistogramVec // by model
	batch    prometheus.Histogram
	bytes    *prometheus.CounterVec // in, out
	pixels   prometheus.Counter
	errors   *prometheus.CounterVec // by problem's code

	memory    *prometheus.GaugeVec   // by device
	opened    *prometheus.CounterVec // by model
	lost      prometheus.Counter
	fallbacks prometheus.Counter
}

// NewMetrics makes metrics with those of Go and of the process among them.
func NewMetrics() *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	seconds := prometheus.ExponentialBuckets(0.001, 2, 20) // to 524 s
	m := &Metrics{registry: r}
	histogram := func(name, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: "i2sb_" + name, Help: help, Buckets: buckets}
	}
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Name: "i2sb_" + name, Help: help}
	}
	m.requests = prometheus.NewCounterVec(counter("requests_total", "Requests by path and status."), []string{"path", "status"})
	m.request = prometheus.NewHistogram(histogram("request_seconds", "From the header of a request to restore to the last byte of its answer.", seconds))
	m.waiting = prometheus.NewHistogram(histogram("queue_seconds", "From a request's admission until the device was free for it.", seconds))
	m.restore = prometheus.NewHistogramVec(histogram("restore_seconds", "On the device, for one picture.", seconds), []string{"model"})
	m.step = prometheus.NewHistogramVec(histogram("step_seconds", "One step of the walk.", seconds), []string{"model"})
	m.batch = prometheus.NewHistogram(histogram("batch_size", "Pictures of equal size that the device got together.", []float64{1, 2, 4, 8, 16, 32}))
	m.bytes = prometheus.NewCounterVec(counter("bytes_total", "Bytes of bodies and results."), []string{"direction"})
	m.pixels = prometheus.NewCounter(counter("pixels_total", "Pixels of results."))
	m.errors = prometheus.NewCounterVec(counter("errors_total", "Requests that failed, by the problem's code."), []string{"code"})
	m.memory = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "i2sb_device_memory_bytes",
		Help: "What the weights and the last size of picture take on the device, as planned."}, []string{"device", "part"})
	m.opened = prometheus.NewCounterVec(counter("models_opened_total", "Models loaded onto a device."), []string{"model"})
	m.lost = prometheus.NewCounter(counter("device_lost_total", "Times that a device failed and was opened afresh."))
	m.fallbacks = prometheus.NewCounter(counter("device_fallbacks_total", "Devices that were given up for the CPU."))
	r.MustRegister(m.requests, m.request, m.waiting, m.restore, m.step, m.batch, m.bytes, m.pixels, m.errors,
		m.memory, m.opened, m.lost, m.fallbacks)
	return m
}

// Keeper counts what happens to a keeper's device; it is a keeper's Options.On.
func (m *Metrics) Keeper(e keeper.Event) {
	switch e.Kind {
	case keeper.Opened:
		m.opened.WithLabelValues(e.Model).Inc()
	case keeper.Size:
		for part, n := range map[string]int64{"weights": e.Memory.Weight, "arena": e.Memory.Arena, "scratch": e.Memory.Work, "state": e.Memory.State} {
			m.memory.WithLabelValues(e.Device, part).Set(float64(n))
		}
	case keeper.Lost:
		m.lost.Inc()
	case keeper.Fallback:
		m.fallbacks.Inc()
	}
}

// gauge adds a value that is read when it is asked for.
func (m *Metrics) gauge(name, help string, f func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "i2sb_" + name, Help: help}, f))
}

// Handler answers with all metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func since(t time.Time) float64 { return time.Since(t).Seconds() }
