package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/eval/metric"
	"github.com/i2sb-go/i2sb/runtime"
)

// evaluator measures restorations of degraded crops.
type evaluator struct {
	*app
	photos, crops, set, pack, device, keep string
	csv, report, degraded                  string
	resnet, inception, labels, precision   string
	metrics, samplers, compare             []string
	steps                                  []int
	threads, border                        int
	seed                                   uint64
	asJSON, y, classical, noNetwork        bool

	run    eval.Run
	facts  [][2]string // what decides the figures, for the report
	names  map[eval.Crop]string
	output output
}

func (a *app) evalCommand() *cobra.Command {
	e := &evaluator{app: a}
	c := &cobra.Command{
		Use:   "eval --photos DIR --crops LIST.tsv",
		Short: "Measure restorations of degraded crops of photographs",
		Long: "Degrades crops of photographs, restores them, and prints means over the crops: PSNR before and after, or, with\n" +
			"more metrics or other methods, a table of all. The list has the columns file, x, y, width, height and set,\n" +
			"tab-separated, under one line of headings. A run with --csv that was interrupted goes on where it ended.\n" +
			"Another program's picture of the crop of photo.jpg is DIR/TASK/photo.png, or DIR/photo.png for one task.",
		Example: "  i2sb-run eval --photos photos/ --crops VALIDATION.tsv --steps 1,0\n" +
			"  i2sb-run eval --photos photos/ --crops VALIDATION.tsv --steps 1,2,5,10 --metrics psnr,ssim,perceptual --classical --report report/",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return e.measure(c) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "samplers" {
			name = "sampler"
		}
		return pflag.NormalizedName(name)
	})
	f.StringVar(&e.photos, "photos", "", "folder of the photographs")
	f.StringVar(&e.crops, "crops", "", "list of crops")
	f.StringVar(&e.set, "set", "main", "the set of crops to measure; empty: each apart")
	f.StringSliceVar(&e.run.Tasks, "task", []string{"jpeg-10", "sr4x-pool", "sr4x-bicubic", "blur-gauss-1.5"}, "degradations, by the names of degrade")
	f.IntSliceVar(&e.steps, "steps", []int{1, 0}, "network evaluations; 0: the pack's default")
	f.StringSliceVar(&e.samplers, "sampler", []string{""}, "samplers, also as --samplers; default: the pack's")
	f.StringSliceVar(&e.metrics, "metrics", []string{"psnr"}, "what to measure: "+strings.Join(metric.Names(), ", "))
	f.BoolVar(&e.y, "y", false, "measure psnr, ssim and ms-ssim on the luma of BT.601")
	f.IntVar(&e.border, "border", 0, "pixels to leave out along each side of a crop")
	f.BoolVar(&e.run.Official, "official", false, "measure on 8 bits, truncated as the reference does")
	f.BoolVar(&e.classical, "classical", false, "compare with classical methods: bicubic, lanczos, deblocking, wiener, harmonic, telea")
	f.BoolVar(&e.noNetwork, "no-network", false, "measure the other methods alone")
	f.StringSliceVar(&e.compare, "compare", nil, "folders of other programs' pictures to compare with")
	f.StringVar(&e.resnet, "resnet", "", "classify by ResNet-50 with these weights, torchvision's names, safetensors or .pt")
	f.StringVar(&e.labels, "labels", "", "lines of a file's name and its class, 0 to 999; without: the same class as the original?")
	f.StringVar(&e.inception, "inception", "", "FID by Inception v3 with these weights, pytorch-fid's names, safetensors or .pt")
	f.Uint64Var(&e.seed, "seed", 0, "seed of degradations and noise")
	f.StringVar(&e.pack, "pack", "", "weight pack: a file or URL; default: the built-in one")
	f.StringVar(&e.device, "device", "auto", "what to run on: auto, cpu, gpu, gpu:N or part of a GPU's name (see devices), ref")
	f.StringVar(&e.precision, "precision", "auto", "f32; f16, in which a GPU stores; bf16, in which a CPU with AMX multiplies; auto: f16 where a GPU is faster with it")
	f.IntVar(&e.threads, "threads", 0, "CPU threads; 0: all")
	f.StringVar(&e.keep, "keep", "", "directory for original, degraded and restored crops side by side, as PNGs")
	f.StringVar(&e.degraded, "degraded", "", "directory for the degraded crops as TASK/NAME.png, for other programs; sr4x: the small pictures")
	f.StringVar(&e.csv, "csv", "", "file for the values of every crop; what it has is not measured again. With --inception features lie beside it")
	f.StringVar(&e.report, "report", "", "directory for a report: index.html and its pictures")
	f.BoolVar(&e.asJSON, "json", false, "print a JSON array")
	return c
}

func (e *evaluator) measure(c *cobra.Command) (err error) {
	if err := e.check(); err != nil {
		return err
	}
	if err := e.readCrops(); err != nil {
		return err
	}
	if err := e.openNets(); err != nil {
		return err
	}
	src, err := e.openSource(c.Context(), e.pack)
	if err != nil {
		return err
	}
	h, err := header(c.Context(), src)
	if err != nil {
		return err
	}
	m, err := runtime.Open(c.Context(), src, runtime.WithDevice(e.device), runtime.WithPrecision(e.precision), runtime.WithThreads(e.threads))
	if err != nil {
		return classify(err)
	}
	defer m.Close()
	if err := e.methods(m); err != nil {
		return err
	}
	if err := e.output.begin(e); err != nil {
		return err
	}
	if err := e.remember(h.ID(), m.Device()); err != nil {
		return err
	}
	e.run.Each = e.output.each
	records, err := e.run.Measure(c.Context())
	if l := e.output.ledger; l != nil {
		if kept := l.Write(); err == nil {
			err = kept
		}
	}
	if err != nil {
		return classify(err)
	}
	rows, err := e.run.Table(records)
	if err != nil {
		return err
	}
	if e.report != "" {
		if err := e.output.report(records, rows); err != nil {
			return err
		}
	}
	return e.print(rows)
}

// check looks at the flags' values.
func (e *evaluator) check() error {
	if e.photos == "" || e.crops == "" {
		return usagef("eval needs --photos DIR and --crops LIST.tsv")
	}
	if e.border < 0 {
		return usagef("border %d: a number of pixels", e.border)
	}
	if e.labels != "" && e.resnet == "" {
		return usagef("--labels needs --resnet FILE")
	}
	if e.noNetwork && !e.classical && len(e.compare) == 0 {
		return usagef("--no-network leaves nothing to measure; give --classical or --compare DIR")
	}
	for _, name := range e.metrics {
		if e.y && !strings.HasSuffix(name, "-y") && name != "perceptual" {
			name += "-y"
		}
		m, err := metric.Parse(name)
		if err != nil {
			return &usageError{err}
		}
		m.Border = e.border
		e.run.Metrics = append(e.run.Metrics, m)
	}
	for _, n := range e.steps {
		if n < 0 {
			return usagef("steps %d: a number from 0 on", n)
		}
	}
	for _, name := range e.run.Tasks {
		if _, err := degrade.Parse(name); err != nil {
			return &usageError{err}
		}
	}
	for _, name := range e.samplers {
		if _, err := bridge.ParseSampler(name); name != "" && err != nil {
			return &usageError{err}
		}
	}
	return checkThreads(e.threads)
}

func (e *evaluator) readCrops() error {
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
	e.run.Photos, e.run.Seed = e.photos, e.seed
	e.names = eval.Names(e.run.Crops)
	return nil
}

// openNets reads other networks' weights and the labels.
func (e *evaluator) openNets() (err error) {
	if e.resnet != "" {
		if e.run.Nets.ResNet, err = eval.ResNet50(e.resnet); err != nil {
			return &fileError{e.resnet, err}
		}
	}
	if e.inception != "" {
		if e.run.Nets.Inception, err = eval.Inception(e.inception); err != nil {
			return &fileError{e.inception, err}
		}
	}
	if e.labels != "" {
		if e.run.Nets.Labels, err = eval.ReadLabels(e.labels, e.run.Crops); err != nil {
			return &fileError{e.labels, err}
		}
	}
	return nil
}

// methods lists what is compared: the degraded picture first.
func (e *evaluator) methods(m *runtime.Model) error {
	e.run.Methods = []eval.Method{eval.Degraded()}
	if e.classical {
		e.run.Methods = append(e.run.Methods, eval.Classical()...)
	}
	for _, dir := range e.compare {
		f, err := eval.Folder(dir, e.names, e.run.Tasks)
		if err != nil {
			return err
		}
		e.run.Methods = append(e.run.Methods, f)
	}
	if e.noNetwork {
		e.samplers = nil
	}
	for _, sampler := range e.samplers {
		for _, n := range e.steps {
			e.run.Methods = append(e.run.Methods, eval.Network(m, sampler, n))
		}
	}
	return eval.Distinct(e.run.Methods)
}

// remember opens what earlier runs left, if anything is to be kept.
func (e *evaluator) remember(pack, device string) (err error) {
	s := eval.Sheet{Measures: e.run.Measures(), Seed: e.seed, Pack: pack, Device: device, Border: e.border, Official: e.run.Official}
	e.facts = [][2]string{{"pack", pack}, {"device", device}, {"seed", fmt.Sprint(e.seed)}, {"border", fmt.Sprint(e.border)},
		{"8 bits, truncated", map[bool]string{false: "no", true: "yes"}[e.run.Official]}, {"crops", fmt.Sprint(len(e.run.Crops))}}
	inception := ""
	if n := e.run.Nets.ResNet; n != nil {
		s.ResNet = n.ID
		e.facts = append(e.facts, [2]string{"ResNet-50", n.ID})
	}
	if n := e.run.Nets.Inception; n != nil {
		inception = n.ID
		e.facts = append(e.facts, [2]string{"Inception", n.ID})
	}
	if e.csv == "" {
		return nil
	}
	l, err := eval.OpenLedger(e.csv, s, inception)
	if err != nil {
		return err
	}
	e.output.ledger, e.run.Features = l, l.Features()
	e.run.Known = func(r eval.Record) ([]float64, bool) {
		v, ok := l.Known(r)
		return v, ok && e.output.has(r)
	}
	return nil
}
