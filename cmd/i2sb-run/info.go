package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/bench"
	"github.com/i2sb-go/i2sb/weights"
)

// informer tells about a pack.
type informer struct {
	*app
	memory, asJSON bool
	net            string
	size, device   string
	tile, overlap  int
	task, sampler  string
	steps          int
}

func (a *app) infoCommand() *cobra.Command {
	i := &informer{app: a}
	c := &cobra.Command{
		Use:   "info [PACK]",
		Short: "Tell about a pack, and the memory that a picture takes",
		Long:  "Prints the header of a pack (default: the built-in one): network, bridge, tasks, licence, sizes.\nWith --memory, what restoring a picture of --size takes, without running it.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return i.run(c.Context(), strings.Join(args, ""), c.Flags().Changed("steps"))
		},
	}
	f := c.Flags()
	f.StringVar(&i.net, "net", "", "in PACK's place: default, adm256 (the official checkpoints' network with float16 weights), or a pack's FILE or URL")
	f.BoolVar(&i.memory, "memory", false, "print the memory that a restoration takes")
	f.StringVar(&i.size, "size", "256x256", "size of the result, WIDTHxHEIGHT")
	f.IntVar(&i.tile, "tile", 0, "as for restore")
	f.IntVar(&i.overlap, "overlap", 0, "as for restore")
	f.StringVar(&i.task, "task", "", "as for restore; inpainting counts with a mask")
	f.StringVar(&i.sampler, "sampler", "", "as for restore")
	f.IntVar(&i.steps, "steps", 0, "as for restore")
	f.StringVar(&i.device, "device", "auto", "as for restore")
	f.BoolVar(&i.asJSON, "json", false, "print a JSON object")
	return c
}

// about is what --json prints.
type about struct {
	ID          string             `json:"id"`
	Bytes       int64              `json:"bytes"` // of the tensors in the pack
	Tensors     int                `json:"tensors"`
	Parameters  int64              `json:"parameters"`
	Name        string             `json:"name"`
	Encoding    string             `json:"encoding"`
	Network     weights.Network    `json:"network"`
	Bridge      weights.Bridge     `json:"bridge"`
	Tasks       []weights.Task     `json:"tasks"`
	Licence     string             `json:"licence"`
	Credits     string             `json:"credits"`
	Provenance  string             `json:"provenance"`
	Metrics     map[string]float64 `json:"metrics,omitempty"`
	Source      string             `json:"source_sha256"`
	MemoryOf    string             `json:"memory_of,omitempty"`
	MemoryBytes *runtime.Memory    `json:"memory,omitempty"`
	Program     int64              `json:"program,omitempty"` // bytes of this process, that memory comes on top of
}

func (i *informer) run(ctx context.Context, pack string, steps bool) error {
	var w, h int
	if n, err := fmt.Sscanf(i.size+"\n", "%dx%d\n", &w, &h); n != 2 || err != nil || w < 1 || h < 1 || w > 1<<20 || h > 1<<20 {
		return usagef("--size %s: write WIDTHxHEIGHT, such as 1024x768", i.size)
	}
	if i.net != "" && pack != "" {
		return usagef("--net %s: and PACK %s; give one of them", i.net, pack)
	}
	name := cmp.Or(i.net, pack)
	head, _, done, err := i.network(ctx, name)
	if err != nil {
		return err
	}
	done()
	a := about{ID: head.ID(), Tensors: len(head.Tensors), Name: head.Name, Encoding: head.Encoding, Network: head.Network,
		Bridge: head.Bridge, Licence: head.Licence, Credits: head.Credits, Provenance: head.Provenance,
		Metrics: head.Metrics, Source: head.SourceSHA256, Tasks: slices.Clone(head.Tasks)}
	for _, t := range head.Tensors {
		n := int64(1)
		for _, d := range t.Shape {
			n *= int64(d)
		}
		a.Parameters += n
		for _, c := range t.Chunks {
			a.Bytes += int64(c.Size)
		}
		if t.Scales != nil {
			a.Bytes += int64(t.Scales.Size)
		}
	}
	for n, t := range a.Tasks { // with the defaults filled in
		s, err := runtime.Resolve(head, runtime.WithTask(t.Name))
		if err != nil {
			return &fileError{cmp.Or(name, runtime.Default().String()), err}
		}
		a.Tasks[n].Sampler, a.Tasks[n].Steps = s.Sampler, s.Steps
	}
	if i.memory {
		options := []any{runtime.WithDevice(i.device), runtime.WithTile(i.tile), runtime.WithOverlap(i.overlap), runtime.WithTask(i.task), runtime.WithSampler(i.sampler)}
		if steps {
			options = append(options, runtime.WithSteps(i.steps))
		}
		m, err := runtime.PlanMemory(head, w, h, options...)
		if err != nil {
			return classify(err)
		}
		a.MemoryOf, a.MemoryBytes, a.Program = i.size, &m, bench.Peak()
	}
	if i.asJSON {
		e := json.NewEncoder(i.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(a)
	}
	return i.print(a)
}

func (i *informer) print(a about) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" {
			fmt.Fprintf(&b, "%-12s %s\n", name, text)
		}
	}
	line("pack", "%s", a.ID)
	levels := cmp.Or(a.Network.ChannelMult, fmt.Sprintf("the levels of image_size %d", a.Network.ImageSize))
	line("network", "ADM U-Net, width %d (%s), %.2f M parameters in %d tensors", a.Network.NumChannels, levels, float64(a.Parameters)/1e6, a.Tensors)
	if a.Bytes > 0 {
		line("encoding", "%s, %s", a.Encoding, size(a.Bytes))
	} else {
		line("encoding", "%s, without a pack", a.Encoding)
	}
	kind := "stochastic"
	if a.Bridge.OTODE {
		kind = "OT-ODE"
	}
	fill := ""
	if a.Bridge.Fill != "" {
		fill = ", holes from a " + a.Bridge.Fill + " fill"
	}
	line("bridge", "%s, %d indices, beta_max %g%s", kind, a.Bridge.Interval, a.Bridge.BetaMax, fill)
	for _, t := range a.Tasks {
		more := ""
		if t.Clip {
			more += ", clipped"
		}
		if t.LastX0 {
			more += ", last x̂0"
		}
		if t.Description != "" {
			more += " – " + t.Description
		}
		line("task", "%s: %s, %d %s%s", t.Name, t.Sampler, t.Steps, plural("step", t.Steps), more)
	}
	line("licence", "%s", a.Licence)
	line("credits", "%s", a.Credits)
	line("provenance", "%s", a.Provenance)
	for _, k := range slices.Sorted(maps.Keys(a.Metrics)) {
		line("metric", "%s %g", k, a.Metrics[k])
	}
	line("source", "%s", a.Source)
	if m := a.MemoryBytes; m != nil {
		fmt.Fprintf(&b, "memory of %s in %d %s of %d×%d:\n", a.MemoryOf, m.Tiles, plural("tile", m.Tiles), m.TileW, m.TileH)
		for _, p := range []struct {
			name  string
			bytes int64
		}{{"weights", m.Weight}, {"arena", m.Arena}, {"scratch", m.Work}, {"state", m.State}, {"program", a.Program}, {"peak", a.Program + m.Peak}, {"with alpha", a.Program + m.Peak + m.Alpha}} {
			fmt.Fprintf(&b, "  %-10s %10s\n", p.name, size(p.bytes))
		}
	}
	_, err := i.stdout.Write([]byte(b.String()))
	return err
}

// size prints bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}
