package main

import (
	"context"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// traces sends traces to a collector until the function it returns is called.
func (s *server) traces(ctx context.Context) (end func(), err error) {
	u, err := url.Parse(s.otlp)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usagef("--otlp %s: write a URL such as http://localhost:4318", s.otlp)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces" // where collectors listen
	}
	e, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()))
	if err != nil {
		return nil, usagef("--otlp %s: %w", s.otlp, err)
	}
	p := trace.NewTracerProvider(trace.WithBatcher(e), trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "i2sb-run"))))
	s.c.Tracer = p
	return func() {
		c, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = p.Shutdown(c)
	}, nil
}
