package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// evaluator measures restorations of degraded crops.
type evaluator struct {
	*app
	photos, crops, set, pack, device, keep string
	threads                                int
	seed                                   uint64
	asJSON                                 bool
	run                                    eval.Run
}

func (a *app) evalCommand() *cobra.Command {
	e := &evaluator{app: a}
	c := &cobra.Command{
		Use:   "eval --photos DIR --crops LIST.tsv",
		Short: "Measure restorations of degraded crops of photographs",
		Long: "Degrades crops of photographs, restores them, and prints the mean PSNR before and after. The list has the\n" +
			"columns file, x, y, width, height and set, tab-separated, under one line of headings.",
		Example: "  i2sb-run eval --photos photos/ --crops VALIDATION.tsv --steps 1,0",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return e.measure(c) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&e.photos, "photos", "", "folder of the photographs")
	f.StringVar(&e.crops, "crops", "", "list of crops")
	f.StringVar(&e.set, "set", "main", "the set of crops to measure; empty: each apart")
	f.StringSliceVar(&e.run.Tasks, "task", []string{"jpeg-10", "sr4x-pool", "sr4x-bicubic", "blur-gauss-1.5"}, "degradations, by the names of degrade")
	f.IntSliceVar(&e.run.Steps, "steps", []int{1, 0}, "network evaluations; 0: the pack's default")
	f.StringSliceVar(&e.run.Samplers, "sampler", []string{""}, "samplers; default: the pack's")
	f.Uint64Var(&e.seed, "seed", 0, "seed of degradations and noise")
	f.StringVar(&e.pack, "pack", "", "weight pack: a file or URL; default: the built-in one")
	f.StringVar(&e.device, "device", "auto", "what to run on: auto, cpu, gpu, gpu:N or part of a GPU's name (see devices), ref")
	f.IntVar(&e.threads, "threads", 0, "CPU threads; 0: all")
	f.StringVar(&e.keep, "keep", "", "directory for original, degraded and restored crops side by side, as PNGs")
	f.BoolVar(&e.asJSON, "json", false, "print a JSON array")
	return c
}

func (e *evaluator) measure(c *cobra.Command) error {
	if e.photos == "" || e.crops == "" {
		return usagef("eval needs --photos DIR and --crops LIST.tsv")
	}
	if err := checkThreads(e.threads); err != nil {
		return err
	}
	f, err := os.Open(e.crops)
	if err != nil {
		return err
	}
	defer f.Close()
	crops, err := eval.ReadCrops(f)
	if err != nil {
		return &fileError{e.crops, err}
	}
	for _, c := range crops {
		if e.set == "" || c.Set == e.set {
			e.run.Crops = append(e.run.Crops, c)
		}
	}
	if len(e.run.Crops) == 0 {
		return &fileError{e.crops, fmt.Errorf("it has no crops of set %q", e.set)}
	}
	src, err := e.openSource(c.Context(), e.pack)
	if err != nil {
		return err
	}
	m, err := runtime.Open(c.Context(), src, runtime.WithDevice(e.device), runtime.WithThreads(e.threads))
	if err != nil {
		return classify(err)
	}
	defer m.Close()
	e.run.Photos, e.run.Seed = e.photos, e.seed
	if e.keep != "" {
		if err := os.MkdirAll(e.keep, 0o755); err != nil {
			return err
		}
		e.run.Each = e.save
	}
	rows, err := eval.PSNRs(c.Context(), m, e.run)
	if err != nil {
		return classify(err)
	}
	if e.asJSON {
		j := json.NewEncoder(e.stdout)
		j.SetIndent("", " ")
		return j.Encode(rows)
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "set\tdegradation\tsampler\tsteps\tcrops\tdegraded dB\trestored dB")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%.2f\t%.2f\n", r.Set, r.Task, r.Sampler, r.Steps, r.Crops, r.Before, r.After)
	}
	return t.Flush()
}

// save writes one crop: original, degraded, restored, from left to right.
func (e *evaluator) save(c eval.Crop, r eval.Row, p eval.Pictures) error {
	wide := bridge.NewImage(p.X0.C, p.X0.H, 3*p.X0.W)
	for i, x := range []*bridge.Image{p.X0, p.X1, p.Restored} {
		for ch := range x.C {
			for y := range x.H {
				copy(wide.Plane(ch)[y*wide.W+i*x.W:], x.Plane(ch)[y*x.W:(y+1)*x.W])
			}
		}
	}
	stem := strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	name := fmt.Sprintf("%s.%s.%s%d.png", stem, r.Task, r.Sampler, r.Steps)
	return picture.WriteFile(filepath.Join(e.keep, name), true, func(w io.Writer) error {
		return picture.Encode(w, &picture.Picture{Image: wide, Depth: 8}, "png", 0)
	})
}
