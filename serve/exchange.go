package serve

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// exchange is what is told about a request when it is over. It holds nothing
// of the picture.
type exchange struct {
	client  string
	problem *Problem
	attrs   []slog.Attr
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		return &exchange{}
	}
	return x
}

// recorder notes what is written.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe counts, logs and traces every request, and turns a panic into an
// answer.
func (s *Server) observe(next http.Handler) http.Handler {
	propagator := propagation.TraceContext{}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := time.Now()
		defer s.conns.busy(r.Context())()
		path := pathLabel(r.URL.Path)
		ctx := propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := s.tracer.Start(ctx, r.Method+" "+path, trace.WithSpanKind(trace.SpanKindServer))
		x := &exchange{}
		ctx = context.WithValue(ctx, exchangeKey{}, x)
		w := &recorder{ResponseWriter: rw}
		r = r.WithContext(ctx)
		_ = http.NewResponseController(w).SetWriteDeadline(start.Add(usualPace.grace))
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler { // an answer that cannot go on; the client must see that
					s.over(r, w, x, span, path, start)
					panic(v)
				}
				s.log.Error("panic in a handler", "panic", v, "stack", string(debug.Stack()))
				if w.status == 0 {
					s.fail(w, r, problem("internal", "see the server's log"))
				}
			}
			s.over(r, w, x, span, path, start)
		}()
		next.ServeHTTP(w, r)
	})
}

func (s *Server) over(r *http.Request, w *recorder, x *exchange, span trace.Span, path string, start time.Time) {
	status, level := w.status, slog.LevelInfo
	attrs := append([]slog.Attr{slog.String("method", r.Method), slog.String("path", path), slog.String("client", x.client)}, x.attrs...)
	if p := x.problem; p != nil {
		if status == 0 {
			status = p.Status
		}
		s.c.Metrics.errors.WithLabelValues(p.Code).Inc()
		attrs = append(attrs, slog.String("code", p.Code))
		if p.cause != nil {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", p.cause.Error()))
		}
		span.SetStatus(codes.Error, p.Code)
	} else if path != "/v1/restore" {
		level = slog.LevelDebug
	}
	s.c.Metrics.requests.WithLabelValues(path, strconv.Itoa(status)).Inc()
	attrs = append(attrs, slog.Int("status", status), slog.Int64("sent", w.bytes), slog.Duration("took", time.Since(start)))
	span.SetAttributes(attribute.Int("http.response.status_code", status), attribute.String("http.request.method", r.Method))
	span.End()
	s.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// pathLabel is the path if it is one of ours, so that nobody can make labels.
func pathLabel(path string) string {
	switch path {
	case "/v1/restore", "/v1/models", "/healthz", "/readyz", "/metrics", "/openapi.yaml":
		return path
	}
	return "other"
}
