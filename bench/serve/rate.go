package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

// rate compares the evaluations a second that the service gets done with those
// of the bench command, in turn.
func (l *lab) rate(ctx context.Context, o options) error {
	m, err := runtime.Open(ctx, runtime.Bytes("pack", l.pack), runtime.WithDevice("cpu"))
	if err != nil {
		return err
	}
	defer m.Close()
	debug.SetGCPercent(400) // the clients share the service's processors
	for size := range strings.SplitSeq(o.sizes, ",") {
		k := &kind{steps: o.steps, contentType: "image/png", query: fmt.Sprintf("task=jpeg&steps=%d&format=%s", o.steps, o.format)}
		if _, err := fmt.Sscanf(size, "%dx%d", &k.w, &k.h); err != nil {
			return fmt.Errorf("size %s: write WIDTHxHEIGHT", size)
		}
		k.body = keepertest.PNG(k.w, k.h, 1)
		if err := k.expect(ctx, m, "jpeg", o.format, 0); err != nil {
			return err
		}
		var network, served, ratios []float64
		for range o.rounds {
			a, err := l.evaluations(ctx, size, o.span)
			if err != nil {
				return err
			}
			b, err := l.served(ctx, k, o)
			if err != nil {
				return err
			}
			network, served, ratios = append(network, a), append(served, b), append(ratios, b/a)
		}
		for _, v := range [][]float64{network, served, ratios} {
			slices.Sort(v)
		}
		n := len(ratios) / 2
		fmt.Printf("%s, %d steps, %s: bench %.2f evaluations/s, service %.2f; of a round's two %.1f %% (%.1f to %.1f)\n", size, o.steps, o.format,
			network[n], served[n], 100*ratios[n], 100*ratios[0], 100*ratios[len(ratios)-1])
	}
	return nil
}

// evaluations is what the bench command says, in evaluations a second.
func (l *lab) evaluations(ctx context.Context, size string, span time.Duration) (float64, error) {
	count := "7"
	for range 2 { // the first tells how many fill the time
		out, err := exec.CommandContext(ctx, l.program, "bench", "--net", l.file, "--size", size, "--whole", "--device", "cpu", "--count", count, "--json").Output()
		if err != nil {
			return 0, fmt.Errorf("i2sb-run bench: %w", err)
		}
		var rows []struct {
			MS float64 `json:"ms"`
		}
		if err := json.Unmarshal(out, &rows); err != nil || len(rows) == 0 || rows[0].MS == 0 {
			return 0, fmt.Errorf("i2sb-run bench says %.200s", out)
		}
		if n := int(span.Seconds() * 1000 / rows[0].MS); n > 7 && count == "7" {
			count = fmt.Sprint(n)
			continue
		}
		return 1000 / rows[0].MS, nil
	}
	return 0, nil
}

// served is what the service gets done, in evaluations a second.
func (l *lab) served(ctx context.Context, k *kind, o options) (float64, error) {
	s, err := l.start()
	if err != nil {
		return 0, err
	}
	defer s.Kill()
	warm := &load{s: s, clients: 1, kinds: []*kind{k}}
	short, cancel := context.WithTimeout(ctx, time.Second)
	warm.run(short)
	cancel()
	during, cancel := context.WithTimeout(ctx, o.span)
	defer cancel()
	start := time.Now()
	t := (&load{s: s, clients: o.clients, kinds: []*kind{k}}).run(during)
	took := time.Since(start).Seconds()
	if len(t.wrong) > 0 {
		return 0, fmt.Errorf("%d wrong answers, such as %s", len(t.wrong), t.wrong[0])
	}
	return float64(t.right*o.steps) / took, s.end()
}
