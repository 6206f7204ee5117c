package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/i2sb-go/i2sb/fleet"
)

// submitter brings pictures to a fleet.
type submitter struct {
	*app
	queue           queueFlags
	out             string
	eta             float64
	wait, asJSON, q bool
	s               fleet.Submit
	failed, done    int
}

func (a *app) submitCommand() *cobra.Command {
	s := &submitter{app: a}
	c := &cobra.Command{
		Use:   "submit FILE|DIR|GLOB|@LIST…",
		Short: "Submit pictures to a fleet's queue",
		Long: "Brings pictures into the queue from which workers take them. A list has a file or an http(s) URL a line. With\n" +
			"--wait the results come back into -o. It may be interrupted and run again: nothing is done twice.\n" +
			"Exit codes: 0, 1 failure, 2 usage, 3 some pictures failed, 130 interrupted.",
		Example: "  i2sb-run submit album/ -o restored/ --wait --nats nats://queue:4222",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return s.run(c.Context(), c.Flags(), args) },
	}
	f := c.Flags()
	f.SortFlags = false
	s.queue.add(f)
	p := &s.s.Parameters
	f.StringVarP(&s.out, "output", "o", "", "directory for results; without it they stay in the store")
	f.BoolVar(&s.wait, "wait", false, "wait for the results")
	f.StringVar(&p.Model, "model", "", "one of the workers' models; default: their first")
	f.StringVar(&p.Task, "task", "", "what to undo, as for restore")
	f.IntVar(&p.Steps, "steps", 0, "network evaluations; default: the task's in the pack")
	f.StringVar(&p.Sampler, "sampler", "", "as for restore")
	f.Float64Var(&s.eta, "eta", 0, "noise of i3sb and dbim1; how much too far the first stride of overshoot goes; 0 to 1; default: the sampler's")
	f.Uint64Var(&p.Seed, "seed", 0, "seed of the noise")
	f.IntVar(&p.Tile, "tile", 0, "side of tiles; 0: only for large pictures, -1: never")
	f.IntVar(&p.Overlap, "overlap", 0, "least overlap of tiles in pixels; 0: a quarter of the tile")
	f.StringVar(&p.Format, "format", "", "png, jpeg, tiff or bmp; default: png")
	f.IntVar(&p.Quality, "quality", 0, "quality of JPEGs, 1 to 100; default: 95")
	f.StringVar(&s.s.Shared, "files", "", "folder that all workers see as their --files: pictures in it are not uploaded")
	f.BoolVar(&s.s.Retry, "retry", false, "submit those anew that lie with the dead letters")
	f.BoolVar(&s.asJSON, "json", false, "print one JSON object per picture, each on a line")
	f.BoolVar(&s.q, "quiet", false, "print neither progress nor results")
	return c
}

func (s *submitter) run(ctx context.Context, f *pflag.FlagSet, args []string) error {
	p := &s.s.Parameters
	if p.Format == "jpg" {
		p.Format = "jpeg"
	}
	switch {
	case p.Format != "" && extensions[p.Format] == "":
		return usagef("format %q: there are png, jpeg, tiff and bmp", p.Format)
	case f.Changed("quality") && (p.Quality < 1 || p.Quality > 100):
		return usagef("quality %d: a number from 1 to 100", p.Quality)
	case f.Changed("steps") && p.Steps < 1:
		return usagef("steps %d: a number from 1 on", p.Steps)
	case p.Format == "bmp" && s.out != "":
		return usagef("--format bmp with -o: a BMP does not record how it was made, so that nothing could be resumed")
	case s.out != "" && !s.wait:
		return usagef("-o needs --wait: without it results stay in the store")
	}
	if f.Changed("eta") {
		p.Eta = &s.eta
	}
	in, err := s.inputs(args)
	if err != nil {
		return err
	}
	if err := absolute(&s.s.Shared); err != nil {
		return err
	}
	q, stop, err := s.queue.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	bar := newProgress(s.stderr, s.q)
	bar.begin("pictures", 0, 1, len(in))
	s.s.On = func(o fleet.Outcome) {
		if o.State == fleet.Queued && s.wait {
			return
		}
		s.done++
		bar.step(s.done)
		s.report(o)
	}
	_, err = s.s.Run(ctx, q, in, s.wait)
	bar.end()
	switch {
	case err != nil:
		return err
	case s.failed == 0:
		return nil
	case s.failed == len(in):
		return exitError(exitFailure)
	}
	s.complain("", fmt.Errorf("%d of %d pictures failed", s.failed, len(in)))
	return exitError(exitPartly)
}

// inputs lists pictures and the files of their results, as restore does.
func (s *submitter) inputs(args []string) ([]fleet.Input, error) {
	var plain []string
	var in []fleet.Input
	ext := extensions[s.s.Parameters.Format]
	if ext == "" {
		ext = ".png"
	}
	for _, a := range args {
		name, isList := strings.CutPrefix(a, "@")
		if !isList {
			plain = append(plain, a)
			continue
		}
		lines, err := readList(name)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			if !strings.HasPrefix(line, "http://") && !strings.HasPrefix(line, "https://") {
				plain = append(plain, line)
				continue
			}
			i := fleet.Input{From: line}
			if base := path.Base(strings.SplitN(line, "?", 2)[0]); s.out != "" {
				i.Out = filepath.Join(s.out, strings.TrimSuffix(base, path.Ext(base))+ext)
			}
			in = append(in, i)
		}
	}
	if len(plain) == 0 {
		return in, nil
	}
	out := s.out
	if out != "" {
		out += string(filepath.Separator) // a directory, for one picture also
	}
	r := &restorer{app: s.app, out: out, format: s.s.Parameters.Format}
	list, _, err := r.jobs(plain)
	for _, j := range list {
		i := fleet.Input{From: j.in, Out: j.out}
		if s.out == "" {
			i.Out = ""
		}
		if err := absolute(&i.From); err != nil {
			return nil, err
		}
		in = append(in, i)
	}
	return in, err
}

func readList(name string) (lines []string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines, s.Err()
}

// report prints what became of a picture.
func (s *submitter) report(o fleet.Outcome) {
	state := map[fleet.State]string{fleet.Queued: "queued", fleet.Done: "done", fleet.Buried: "dead", fleet.Failed: "failed"}[o.State]
	if o.Err != nil {
		s.failed++
		s.complain(o.From, o.Err)
	}
	switch {
	case s.asJSON:
		rec := struct {
			Input  string `json:"input"`
			Output string `json:"output,omitempty"`
			Job    string `json:"job"`
			State  string `json:"state"`
			Before bool   `json:"before,omitempty"`
			Error  string `json:"error,omitempty"`
		}{o.From, o.Out, o.Job.ID, state, o.Old, ""}
		if o.Err != nil {
			rec.Error = oneLine(o.Err.Error())
		}
		e := json.NewEncoder(s.stdout)
		e.SetEscapeHTML(false)
		_ = e.Encode(rec)
	case s.q || o.Err != nil:
	case o.Old:
		_, _ = fmt.Fprintf(s.stdout, "%s: done before\n", o.From)
	default:
		_, _ = fmt.Fprintf(s.stdout, "%s: %s\n", o.From, state)
	}
}
