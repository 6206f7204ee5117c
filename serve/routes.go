package serve

import (
	_ "embed"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"
)

// OpenAPI describes the interface.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Handler is everything the server answers.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	only := func(path string, h http.HandlerFunc, methods ...string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if !slices.Contains(methods, r.Method) {
				w.Header().Set("Allow", strings.Join(methods, ", "))
				s.fail(w, r, problem("method-not-allowed", "%s has %s", r.URL.Path, strings.Join(methods, ", ")))
				return
			}
			h(w, r)
		})
	}
	const get, head = http.MethodGet, http.MethodHead
	only("/v1/restore", s.restore, http.MethodPost)
	only("/v1/models", s.models, get, head)
	only("/healthz", s.healthz, get, head)
	only("/readyz", s.readyz, get, head)
	only("/metrics", s.c.Metrics.Handler().ServeHTTP, get, head)
	only("/openapi.yaml", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(OpenAPI)
	}, get, head)
	mux.HandleFunc("/", s.page())

	h, err := s.sameOrigin(s.authorize(mux))
	if err != nil {
		return nil, err
	}
	if len(s.c.Origins) > 0 {
		h = cors.New(cors.Options{
			AllowedOrigins: s.c.Origins,
			AllowedMethods: []string{http.MethodGet, http.MethodPost},
			AllowedHeaders: []string{"Authorization", "Content-Type", "Accept"},
			ExposedHeaders: append(slices.Clone(answerHeaders), "Server-Timing", "Retry-After"),
			MaxAge:         600,
		}).Handler(h)
	}
	return s.observe(s.secure(h)), nil
}

// sameOrigin refuses what pages of other origins send, unless they are
// allowed: a browser sends simple requests without asking.
func (s *Server) sameOrigin(next http.Handler) (http.Handler, error) {
	if slices.Contains(s.c.Origins, "*") {
		return next, nil
	}
	c := http.NewCrossOriginProtection()
	for _, o := range s.c.Origins {
		if err := c.AddTrustedOrigin(o); err != nil {
			return nil, err
		}
	}
	c.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, problem("cross-origin", "this server was started without --cors for that origin"))
	}))
	return c.Handler(next), nil
}

// secure sets the headers that hold for every answer.
func (s *Server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		if len(s.c.Origins) == 0 {
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
		}
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// page serves what lies at /.
func (s *Server) page() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.c.Page == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.fail(w, r, problem("not-found", "there is nothing at this path; see /openapi.yaml"))
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "+
			"img-src 'self' blob: data:; connect-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(5 * time.Minute))
		s.c.Page.ServeHTTP(w, r)
	}
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.ending.Load() {
		s.fail(w, r, ending())
		return
	}
	s.healthz(w, r)
}
