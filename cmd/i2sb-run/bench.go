package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	goruntime "runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/runtime/bench"
)

// bencher times a network.
type bencher struct {
	*app
	net, size, device string
	threads, count    int
	wholeOnly, asJSON bool
	precision         string
	roof, profile     bool
	noTune            bool
}

func (a *app) benchCommand() *cobra.Command {
	b := &bencher{app: a}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Time one evaluation of a network, and each of its distinct layers",
		Long: "Prints lines that benchstat reads: the whole network first, then its distinct layers, the longest\n" +
			"altogether first. GFLOP/s is the nominal arithmetic over the time, so that a transformed convolution\n" +
			"may pass the processor's peak. adm256 runs with random float16 weights made in memory.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return b.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&b.net, "net", "default", "default, adm256, or a pack's FILE or URL")
	f.StringVar(&b.size, "size", "256x256", "size of the picture, WIDTHxHEIGHT")
	f.StringVar(&b.device, "device", "auto", "as for restore")
	f.StringVar(&b.precision, "precision", "auto", "as for restore")
	f.BoolVar(&b.noTune, "no-tune", false, "as for restore")
	f.IntVar(&b.threads, "threads", 0, "CPU threads; 0: all")
	f.IntVar(&b.count, "count", 7, "evaluations whose median counts")
	f.BoolVar(&b.wholeOnly, "whole", false, "time the whole network only")
	f.BoolVar(&b.roof, "roof", false, "measure the device's peak arithmetic and memory's bandwidth, and print each layer's share of them")
	f.BoolVar(&b.profile, "profile", false, "also time each GPU kernel, against the device's measured roof")
	f.BoolVar(&b.asJSON, "json", false, "print a JSON array")
	return c
}

func (b *bencher) run(ctx context.Context) error {
	o := bench.Options{Name: b.net, Device: b.device, Threads: b.threads, Rounds: b.count, Layers: !b.wholeOnly, Roof: b.roof, Kernels: b.profile, Precision: b.precision, NoTune: b.noTune}
	if n, err := fmt.Sscanf(b.size+"\n", "%dx%d\n", &o.W, &o.H); n != 2 || err != nil || o.W < 1 || o.H < 1 {
		return usagef("--size %s: write WIDTHxHEIGHT, such as 256x256", b.size)
	}
	if b.count < 1 {
		return usagef("--count %d: a number from 1 on", b.count)
	}
	if err := checkThreads(b.threads); err != nil {
		return err
	}
	start := time.Now()
	head, w, done, err := b.network(ctx, b.net)
	if err != nil {
		return err
	}
	defer done()
	o.Network, o.Weights = head.Network, w
	header := time.Since(start)
	r, err := bench.Run(ctx, o)
	if err != nil {
		return classify(err)
	}
	if b.asJSON {
		e := json.NewEncoder(b.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r.Rows)
	}
	return b.print(r, header)
}

func (b *bencher) print(r *bench.Result, header time.Duration) error {
	var s strings.Builder
	fmt.Fprintf(&s, "goos: %s\ngoarch: %s\ndevice: %s\n", goruntime.GOOS, goruntime.GOARCH, r.Rows[0].Device)
	if r.Roof.FLOPs > 0 {
		fmt.Fprintf(&s, "roof: %.0f GFLOP/s, %.0f GB/s\n", r.Roof.FLOPs/1e9, r.Roof.Bytes/1e9)
	}
	for i, row := range r.Rows {
		name := "Layer/" + row.Name
		if i == 0 {
			name = "Network/" + row.Name
		}
		fmt.Fprintf(&s, "Benchmark%s-%d\t%d\t%.0f ns/op\t%.1f GFLOP/s", name, row.Threads, row.Rounds, row.MS*1e6, row.GFLOPS)
		if i == 0 {
			fmt.Fprintf(&s, "\t%d peak-bytes\t%.0f open-ns", row.Peak, float64(header+r.Open))
		} else {
			fmt.Fprintf(&s, "\t%d layers", row.Count)
		}
		if row.OfPeak > 0 {
			fmt.Fprintf(&s, "\t%.0f %%peak", 100*row.OfPeak)
		}
		if row.OfRoof > 0 {
			fmt.Fprintf(&s, "\t%.0f %%roof", 100*row.OfRoof)
		}
		s.WriteByte('\n')
	}
	fmt.Fprintf(&s, "\nfirst step after %.0f ms: %.0f to read the pack's header, %.0f to open the device, %.0f to load and compile, %.0f to evaluate\n",
		ms(header+r.Device+r.Open+r.First), ms(header), ms(r.Device), ms(r.Open), ms(r.First))
	profile(&s, r)
	_, err := b.stdout.Write([]byte(s.String()))
	return err
}

func ms(d time.Duration) float64 { return 1e3 * d.Seconds() }

// profile prints what each kernel took, and its share of the roof: of the
// arithmetic's or the memory's, whichever it is nearer to.
func profile(w io.Writer, r *bench.Result) {
	if len(r.Kernels) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "kernel\tcalls\tms\tGFLOP/s\tGB/s\troof\t")
	for _, k := range r.Kernels {
		s := max(k.Time.Seconds(), 1e-9)
		flops, bytes := float64(k.FLOPs)/s, float64(k.Bytes)/s
		if k.Time < time.Duration(k.Calls)*time.Microsecond { // too short for the host's clock
			fmt.Fprintf(t, "%s\t%d\t%.3f\t\t\t\t\n", k.Name, k.Calls, 1e3*k.Time.Seconds())
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%.3f\t%.1f\t%.1f\t%.0f %%\t\n", k.Name, k.Calls, 1e3*s, flops/1e9, bytes/1e9, 100*max(flops/r.Roof.FLOPs, bytes/r.Roof.Bytes))
	}
	t.Flush()
}
