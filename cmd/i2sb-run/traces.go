package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// traces sends traces to a collector until the function it returns is called.
func (s *server) traces(ctx context.Context) (end func(), err error) {
	e, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(s.otlp))
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
