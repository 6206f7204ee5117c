package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/weights"
)

// restorer restores the pictures of one command line. The network is opened
// when the first picture needs it.
type restorer struct {
	*app
	out, mask, pack, device, trajectory, format, shard string
	task, sampler, precision                           string
	steps, label, tile, overlap, threads, quality      int
	eta                                                float64
	seed                                               uint64
	maxPixels                                          int64
	force, asJSON, quiet, clip, lastX0, noTune         bool

	options    []runtime.Option
	parameters string // what decides the pixels, but for the input
	text       map[string]string
	source     runtime.Source
	model      *runtime.Model
	broken     bool // the network cannot be opened
	bar        *progress
}

func (a *app) restoreCommand() *cobra.Command {
	r := &restorer{app: a}
	c := &cobra.Command{
		Use:   "restore FILE|DIR|GLOB|-…",
		Short: "Restore pictures",
		Long: "Restores pictures: JPEG, PNG, WebP, TIFF, BMP or GIF. Without -o the result of photo.jpg is\n" +
			"photo.restored.png beside it, and that of - goes to standard output. Nothing is overwritten without\n" +
			"--force; in a batch, results made from the same picture with the same parameters count as done, but\n" +
			"for BMPs, which do not record them.\n" +
			"Exit codes: 0, 1 failure, 2 usage, 3 some pictures of a batch failed, 130 interrupted.",
		Example: "  i2sb-run restore photo.jpg -o out.png\n" +
			"  i2sb-run restore --task sr4x small.png\n" +
			"  i2sb-run restore album/ -o restored/ --json\n" +
			"  i2sb-run restore - <photo.jpg >out.png",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			defer r.close()
			return r.run(c.Context(), c.Flags(), args)
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVarP(&r.out, "output", "o", "", "file, or directory for several pictures; - is standard output")
	f.StringVar(&r.task, "task", "", "what to undo: jpeg, sr4x, deblur, inpaint, or a full name such as jpeg-10; default: the pack's")
	f.IntVar(&r.steps, "steps", 0, "network evaluations; default: the task's in the pack")
	f.StringVar(&r.sampler, "sampler", "", strings.Join(bridge.SamplerNames(), "|")+"; default: the task's in the pack")
	f.Float64Var(&r.eta, "eta", 0, "noise of i3sb and dbim1; how much too far the first stride of overshoot goes; 0 to 1; default: the sampler's")
	f.Uint64Var(&r.seed, "seed", 0, "seed of the noise")
	f.IntVar(&r.label, "label", 0, "class of what is shown, for networks that were trained with classes")
	f.StringVar(&r.mask, "mask", "", "picture of the same size, white where to fill in")
	f.IntVar(&r.tile, "tile", 0, "side of tiles; 0: only for large pictures, -1: never")
	f.IntVar(&r.overlap, "overlap", 0, "least overlap of tiles in pixels; 0: a quarter of the tile")
	f.BoolVar(&r.clip, "clip", false, "clip each estimate of the result to the range of pictures, or not (--clip=false); default: the task's")
	f.BoolVar(&r.lastX0, "last-x0", false, "return the last estimate in place of the last state, or not; default: the task's")
	f.StringVar(&r.pack, "pack", "", "weight pack: a file or URL; default: the built-in one")
	f.StringVar(&r.device, "device", "auto", "what to run on: auto, cpu, gpu, gpu:N or part of a GPU's name (see devices), ref")
	f.StringVar(&r.precision, "precision", "auto", "f32; f16, in which a GPU stores; bf16, in which a CPU with AMX multiplies; auto: f16 where a GPU is faster with it")
	f.BoolVar(&r.noTune, "no-tune", false, "take a GPU's kernels by estimates, without timing them once")
	f.IntVar(&r.threads, "threads", 0, "CPU threads; 0: all")
	f.StringVar(&r.trajectory, "trajectory", "", "directory for the state and the estimate of each step, as PNGs")
	f.StringVar(&r.format, "format", "", "png, jpeg, tiff or bmp; default: by the output's name, else png")
	f.IntVar(&r.quality, "quality", 95, "quality of JPEGs, 1 to 100")
	f.Int64Var(&r.maxPixels, "max-pixels", 0, "refuse larger pictures before decoding; default: 268435456")
	f.StringVar(&r.shard, "shard", "", "restore part I of N of the pictures, I/N from 0/N on; N alone: the part of $JOB_COMPLETION_INDEX")
	f.BoolVar(&r.force, "force", false, "overwrite existing files")
	f.BoolVar(&r.asJSON, "json", false, "print one JSON object per picture, each on a line")
	f.BoolVar(&r.quiet, "quiet", false, "print neither progress nor results")
	return c
}

func (r *restorer) run(ctx context.Context, f *pflag.FlagSet, args []string) error {
	if err := r.check(f); err != nil {
		return err
	}
	jobs, batch, err := r.jobs(args)
	if err != nil {
		return err
	}
	if jobs, err = shard(jobs, r.shard); err != nil {
		return err
	}
	if err := r.resolve(ctx); err != nil {
		return err
	}
	if err := r.readMask(); err != nil {
		return err
	}
	r.bar = newProgress(r.stderr, r.quiet)
	failed := 0
	for i, j := range jobs {
		rec, err := r.one(ctx, j, i, len(jobs), batch)
		r.bar.end()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && r.broken {
			return classify(err) // no picture will fare better
		}
		if err != nil {
			rec.Error = oneLine(message(j.in, err))
			failed++
		}
		if err := r.report(rec, j); err != nil {
			return err
		}
		if err != nil && !batch {
			return classify(&fileError{j.in, err})
		}
		if err != nil {
			r.complain(j.in, err)
		}
	}
	switch {
	case failed == 0:
		return nil
	case failed == len(jobs):
		return exitError(exitFailure)
	}
	r.complain("", fmt.Errorf("%d of %d pictures failed", failed, len(jobs)))
	return exitError(exitPartly)
}

// check looks at the flags' values and makes the options.
func (r *restorer) check(f *pflag.FlagSet) error {
	if err := checkThreads(r.threads); err != nil {
		return err
	}
	if r.format == "jpg" {
		r.format = "jpeg"
	}
	if r.format != "" && extensions[r.format] == "" {
		return usagef("format %q: there are png, jpeg, tiff and bmp", r.format)
	}
	if r.quality < 1 || r.quality > 100 {
		return usagef("quality %d: a number from 1 to 100", r.quality)
	}
	if r.maxPixels < 0 {
		return usagef("max-pixels %d: a number from 1 on", r.maxPixels)
	}
	r.options = []runtime.Option{runtime.WithTask(r.task), runtime.WithSampler(r.sampler), runtime.WithSeed(r.seed),
		runtime.WithTile(r.tile), runtime.WithOverlap(r.overlap)}
	for name, o := range map[string]runtime.Option{"steps": runtime.WithSteps(r.steps), "eta": runtime.WithEta(r.eta),
		"clip": runtime.WithClip(r.clip), "last-x0": runtime.WithLastX0(r.lastX0), "label": runtime.WithLabel(r.label)} {
		if f.Changed(name) {
			r.options = append(r.options, o)
		}
	}
	if f.Changed("eta") {
		r.parameters = fmt.Sprintf(" eta=%v", r.eta)
	}
	if f.Changed("label") {
		r.parameters += fmt.Sprintf(" label=%d", r.label)
	}
	return nil
}

// resolve holds the options against the pack, before any picture is read.
func (r *restorer) resolve(ctx context.Context) error {
	var err error
	if r.source, err = r.openSource(ctx, r.pack); err != nil {
		return err
	}
	h, err := header(ctx, r.source)
	if err != nil {
		return err
	}
	s, err := runtime.Resolve(h, r.options...)
	if err != nil {
		return classify(err)
	}
	if err := checkTask(h, r.task); err != nil {
		return err
	}
	id := h.ID()
	r.parameters = fmt.Sprintf("task=%s sampler=%s steps=%d seed=%d clip=%v last-x0=%v tile=%d overlap=%d%s pack=%s",
		s.Task, s.Sampler, s.Steps, s.Seed, s.Clip, s.LastX0, r.tile, r.overlap, r.parameters, id)
	r.text = map[string]string{"Software": "i2sb-run", "task": s.Task, "sampler": s.Sampler, "steps": fmt.Sprint(s.Steps),
		"seed": fmt.Sprint(s.Seed), "pack": id}
	return nil
}

// checkTask refuses what only looks like the full name of a task, as jpeg-0
// does: it is none of the pack's, no family and no degradation.
func checkTask(h weights.Header, name string) error {
	if name == runtime.Family(name) || name == maskTask || slices.ContainsFunc(h.Tasks, func(t weights.Task) bool { return t.Name == name }) {
		return nil
	}
	if _, err := degrade.Parse(name); err != nil {
		return usagef("--task %s: %w", name, err)
	}
	return nil
}

func (r *restorer) limits() picture.Limits {
	return picture.Limits{Bytes: maxBytes, Pixels: r.maxPixels}
}

func (r *restorer) readMask() error {
	if r.mask == "" {
		return nil
	}
	values, w, h, err := readMask(r.mask, r.limits())
	if err != nil {
		return err
	}
	r.options = append(r.options, runtime.WithMask(&runtime.Mask{W: w, H: h, Values: values}))
	sum := sha256.Sum256(values)
	r.parameters += " mask=" + hex.EncodeToString(sum[:8])
	return nil
}

// readMask reads a mask's file.
func readMask(name string, limits picture.Limits) (values []uint8, w, h int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, 0, err
	}
	defer f.Close()
	if values, w, h, err = picture.DecodeMask(f, limits); err != nil {
		err = &fileError{name, err}
	}
	return values, w, h, err
}

// open opens the network once.
func (r *restorer) open(ctx context.Context) (*runtime.Model, error) {
	if r.model != nil {
		return r.model, nil
	}
	var err error
	r.model, err = runtime.Open(ctx, r.source, runtime.WithDevice(r.device), runtime.WithThreads(r.threads), runtime.WithPrecision(r.precision), runtime.WithTuning(!r.noTune),
		runtime.WithLogger(warnings(r.stderr)))
	r.broken = err != nil
	if err == nil && !r.quiet && r.device != "cpu" && r.device != "ref" {
		if name := r.model.Device(); !strings.HasPrefix(name, "cpu:") {
			fmt.Fprintf(r.stderr, "on %s\n", name)
		}
	}
	return r.model, err
}

func (r *restorer) close() {
	if r.model != nil {
		r.model.Close()
	}
}
