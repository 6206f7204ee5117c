package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/weights"
)

// recipeFlag is a flag that changes a recipe when all that comes before it, such
// as the recipe's file, is known.
type recipeFlag struct {
	name   string
	at     func(*recipe.Recipe) any // a pointer to what it changes
	values []string                 // as given; nil: not
}

// flags declares all flags of train.
func (t *trainee) flags(f *pflag.FlagSet) {
	f.SortFlags = false
	type r = recipe.Recipe
	add := func(name, usage string, at func(*r) any) {
		v := &recipeFlag{name: name, at: at}
		f.Var(v, name, usage)
		if _, ok := at(new(r)).(*bool); ok {
			f.Lookup(name).NoOptDefVal = "true"
		}
		t.set = append(t.set, v)
	}
	add("photos", "folder of photographs, degraded as they are drawn", func(x *r) any { return &x.Data.Photos })
	add("pairs", "folder with folders clean and degraded, whose files have the same names", func(x *r) any { return &x.Data.Pairs })
	f.StringVarP(&t.out, "output", "o", "", "folder for checkpoints, figures and plots")
	f.BoolVar(&t.resume, "resume", false, "go on with the training in OUT; other flags change its recipe")
	f.StringVar(&t.file, "recipe", "", "recipe to begin with, such as another run's recipe.toml; flags come on top")
	add("task", "degradation of photographs, NAME[:WEIGHT], with A..B for a range; several make a mixture", func(x *r) any { return &x.Degradations })
	add("init", "weights to start from: a pack, a checkpoint, or default for the built-in pack", func(x *r) any { return &x.Init })
	add("preset", "size of the network: tiny, small, base, adm256; default: small, or that of --init", func(x *r) any { return (*preset)(x) })
	add("net-config", "network configuration: JSON, or a file of it", func(x *r) any { return &x.Network })
	add("cond-x1", "the network also reads x1", func(x *r) any { return &x.Bridge.CondX1 })
	add("add-x1-noise", "x1 gets noise after the condition was taken", func(x *r) any { return &x.Bridge.AddX1Noise })
	add("fill", "what holes start from: harmonic, a smooth surface; empty: noise", func(x *r) any { return &x.Bridge.Fill })
	add("ot-ode", "deterministic bridge", func(x *r) any { return &x.Bridge.OTODE })
	add("beta-max", "of the bridge's schedule", func(x *r) any { return &x.Bridge.BetaMax })
	add("interval", "indices of the bridge", func(x *r) any { return &x.Bridge.Interval })
	add("steps", "of the optimiser", func(x *r) any { return &x.Steps })
	add("hours", "end after so many; 0: no limit", func(x *r) any { return &x.Hours })
	add("seed", "of weights, data and noise", func(x *r) any { return &x.Seed })
	add("crop", "sizes of crops, SIZExBATCH[:SHARE]", func(x *r) any { return &x.Crops })
	add("area", "pictures are drawn in proportion to their area to this power", func(x *r) any { return &x.Data.Area })
	add("flip", "mirror half of the crops", func(x *r) any { return &x.Data.Flip })
	add("exclude", "patterns of file names not to train on", func(x *r) any { return &x.Data.Exclude })
	add("cache", "MB of decoded pictures to keep", func(x *r) any { return &x.Data.CacheMB })
	add("start", "share of the crops that are x1 itself, where every walk begins", func(x *r) any { return &x.Times.Start })
	add("near", "share of the other times near the degraded end", func(x *r) any { return &x.Times.Near })
	add("near-from", "where that begins, as a share of the bridge", func(x *r) any { return &x.Times.From })
	add("sigma", "power of σ/σ_max that the loss is multiplied by; 0: the paper's", func(x *r) any { return &x.Loss.Sigma })
	add("charbonnier", "ε of the loss √(d²+ε²)−ε, such as 0.03; 0: squares, the paper's", func(x *r) any { return &x.Loss.Charbonnier })
	add("mask-loss", "loss over holes: official, area or none", func(x *r) any { return &x.Loss.Mask })
	add("optimizer", "adamw; muon: matrices by their momentum made orthogonal, the rest by AdamW", func(x *r) any { return &x.Optimizer.Method })
	add("only", "patterns of the layers that learn, such as 'time_embed.*'; the others keep their weights; default: all learn", func(x *r) any { return &x.Optimizer.Only })
	add("rate", "of learning", func(x *r) any { return &x.Optimizer.Rate })
	add("schedule", "of the rate: cosine or step", func(x *r) any { return &x.Optimizer.Schedule })
	add("last-rate", "cosine: the rate at the end", func(x *r) any { return &x.Optimizer.Last })
	add("warm", "cosine: steps of rising rate", func(x *r) any { return &x.Optimizer.Warm })
	add("hold", "cosine: share of the steps before the rate falls", func(x *r) any { return &x.Optimizer.Hold })
	add("factor", "step: what the rate is multiplied by", func(x *r) any { return &x.Optimizer.Factor })
	add("factor-every", "step: after so many steps", func(x *r) any { return &x.Optimizer.Every })
	add("decay", "of weights", func(x *r) any { return &x.Optimizer.Decay })
	add("clip", "greatest norm of the gradient; 0: none", func(x *r) any { return &x.Optimizer.Clip })
	add("ema", "decay of the moving average", func(x *r) any { return &x.Optimizer.Average })
	add("accumulate", "batches of a step", func(x *r) any { return &x.Optimizer.Accumulate })
	add("memory", "MB for activations, made again to keep to it; 0: no limit", func(x *r) any { return &x.Optimizer.MemoryMB })
	add("validation", "list of crops (TSV) of pictures to hold back", func(x *r) any { return &x.Validation.List })
	add("validation-set", "the set of that list to measure; empty: all", func(x *r) any { return &x.Validation.Set })
	add("split", "without a list: share of the pictures to hold back", func(x *r) any { return &x.Validation.Split })
	add("validation-task", "degradations to measure; default: the middle of each range", func(x *r) any { return &x.Validation.Tasks })
	add("validation-steps", "sampling steps to measure", func(x *r) any { return &x.Validation.NFE })
	add("validate-every", "steps of training; 0: never", func(x *r) any { return &x.Validation.Every })
	add("save-every", "steps from checkpoint to checkpoint", func(x *r) any { return &x.Keep.Every })
	add("save-minutes", "and at the latest after so many minutes; 0: no limit", func(x *r) any { return &x.Keep.Minutes })
	add("keep", "numbered checkpoints to keep", func(x *r) any { return &x.Keep.Last })
	add("log-every", "steps from row to row of train.csv", func(x *r) any { return &x.Keep.Log })
	add("name", "of the pack that comes of it", func(x *r) any { return &x.Name })
	add("licence", "SPDX licence of the weights; default: that of --init", func(x *r) any { return &x.Licence })
	add("credits", "whom to thank; default: those of --init", func(x *r) any { return &x.Credits })
	f.StringVar(&t.device, "device", "auto", "what to train on: auto, cpu, gpu, gpu:N or part of a GPU's name (see devices), ref")
	f.IntVar(&t.threads, "threads", 0, "CPU threads; 0: all")
	f.StringVar(&t.precision, "precision", "f32", "f32; bf16, in which a CPU with AMX multiplies: faster, and a little rougher")
	f.BoolVarP(&t.quiet, "quiet", "q", false, "say only what is wrong")
}

// preset is a recipe whose preset is to be chosen, and its network with it.
type preset recipe.Recipe

// Set implements pflag.Value.
func (f *recipeFlag) Set(v string) error {
	more := recipeFlag{f.name, f.at, append(f.values, v)}
	r := recipe.Default()
	if err := more.apply(&r); err != nil {
		return err
	}
	f.values = more.values
	return nil
}

// String is the default, or what was given last.
func (f *recipeFlag) String() string {
	if f.at == nil {
		return ""
	}
	if n := len(f.values); n > 0 {
		return f.values[n-1]
	}
	r := recipe.Default()
	switch p := f.at(&r).(type) {
	case *string:
		return *p
	case *int:
		return strconv.Itoa(*p)
	case *uint64:
		return strconv.FormatUint(*p, 10)
	case *float64:
		return strconv.FormatFloat(*p, 'g', -1, 64)
	case *bool:
		return strconv.FormatBool(*p)
	case *[]int:
		return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(*p)), ","), "[]")
	case *[]data.Degradation:
		return joined(*p)
	case *[]recipe.Crop:
		return joined(*p)
	}
	return ""
}

func joined[T fmt.Stringer](list []T) string {
	var s []string
	for _, v := range list {
		s = append(s, v.String())
	}
	return strings.Join(s, ",")
}

// Type implements pflag.Value: a word for the help.
func (f *recipeFlag) Type() string {
	switch f.at(new(recipe.Recipe)).(type) {
	case *int, *uint64:
		return "int"
	case *float64:
		return "float"
	case *bool:
		return "bool"
	case *[]int, *[]string, *[]data.Degradation, *[]recipe.Crop:
		return "list"
	}
	return "string"
}

// apply puts the values into a recipe; the last one counts where there is room
// for one only.
func (f *recipeFlag) apply(r *recipe.Recipe) (err error) {
	last := f.values[len(f.values)-1]
	var list []string
	for _, v := range f.values {
		for _, one := range strings.Split(v, ",") {
			if one = strings.TrimSpace(one); one != "" {
				list = append(list, one)
			}
		}
	}
	switch p := f.at(r).(type) {
	case *string:
		*p = last
	case *int:
		*p, err = strconv.Atoi(last)
	case *uint64:
		*p, err = strconv.ParseUint(last, 10, 64)
	case *float64:
		*p, err = strconv.ParseFloat(last, 64)
	case *bool:
		*p, err = strconv.ParseBool(last)
	case *[]string:
		*p = list
	case *[]int:
		*p, err = parsed(list, strconv.Atoi)
	case *[]data.Degradation:
		*p, err = parsed(list, data.ParseDegradation)
	case *[]recipe.Crop:
		*p, err = parsed(list, recipe.ParseCrop)
	case *preset:
		p.Preset = last
		p.Network, err = recipe.Preset(last)
	case *weights.Network:
		b := []byte(last)
		if !strings.HasPrefix(strings.TrimSpace(last), "{") {
			if b, err = os.ReadFile(last); err != nil {
				return err
			}
		}
		*p = weights.Network{}
		err = json.Unmarshal(b, p)
	}
	return err
}

func parsed[T any](list []string, parse func(string) (T, error)) (out []T, err error) {
	for _, s := range list {
		v, err := parse(s)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
