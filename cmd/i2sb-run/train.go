package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/train"
	"github.com/i2sb-go/i2sb/train/checkpoint"
	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/weights"
)

// trainee is a training of one command line.
type trainee struct {
	*app
	recipe        recipe.Recipe
	set           []*recipeFlag
	out, file     string
	device        string
	precision     string
	threads       int
	resume, quiet bool
}

func (a *app) trainCommand() *cobra.Command {
	t := &trainee{app: a, recipe: recipe.Default()}
	c := &cobra.Command{
		Use:   "train (--photos DIR | --pairs DIR) -o OUT",
		Short: "Train a network on photographs or on pairs of pictures",
		Long: "Trains on crops of photographs, degraded as they are drawn, or on pairs: files of the same names in DIR/clean and\n" +
			"DIR/degraded. OUT gets checkpoints (last, best, numbered ones), train.csv, validation.csv, plots, grids of degraded,\n" +
			"restored and clean pictures, and recipe.toml, which holds all that was chosen and can be given to --recipe.\n" +
			"SIGINT saves and ends; --resume goes on exactly where the last checkpoint is. i2sb-run pack OUT/last.safetensors\n" +
			"makes a pack at any time.",
		Example: "  i2sb-run train --photos album/ --init default --steps 2000 -o run/\n" +
			"  i2sb-run train --photos album/ --task jpeg-5..40 --task inpaint-center:0.5 --preset tiny -o run/\n" +
			"  i2sb-run train --pairs grey-and-colour/ --cond-x1 -o run/\n" +
			"  i2sb-run train --resume --steps 30000 -o run/\n" +
			"  i2sb-run pack run/last.safetensors -o mine.i2sb",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.run(c.Context()) },
	}
	t.flags(c.Flags())
	return c
}

func (t *trainee) run(ctx context.Context) error {
	if t.out == "" {
		return usagef("train needs -o OUT, a folder")
	}
	if err := checkThreads(t.threads); err != nil {
		return err
	}
	if t.precision != "f32" && t.precision != "bf16" {
		return usagef("--precision %s: training has f32 and bf16", t.precision)
	}
	folder := checkpoint.Folder(t.out)
	o := train.Options{Out: t.out, Device: t.device, Threads: t.threads, Precision: t.precision, Writing: &writing}
	if t.resume {
		from, err := checkpoint.Open(folder.Last())
		if errors.Is(err, fs.ErrNotExist) {
			return &fileError{t.out, fmt.Errorf("there is no last.safetensors in it to go on from; without --resume a training begins")}
		}
		if err != nil {
			return err
		}
		defer from.Close() // train closes it too, when it got so far
		o.From = from
		t.recipe = from.Recipe
	} else if _, err := os.Lstat(folder.Last()); err == nil {
		return &fileError{t.out, fmt.Errorf("it holds a training; --resume goes on with it, another -o begins one")}
	}
	if err := t.choose(ctx, o.From == nil); err != nil {
		return err
	}
	show := t.show()
	defer show.end()
	o.Say, o.Progress = show.say, show.progress
	if o.From != nil {
		changed, err := t.recipe.Changes(o.From.Recipe)
		if err != nil {
			return &fileError{t.out, err}
		}
		for _, c := range changed {
			o.From.State.Changes = append(o.From.State.Changes, fmt.Sprintf("step %d: %s", o.From.State.Steps, c))
			show.say("changed: " + c)
		}
		if o.From.State.Steps >= t.recipe.Steps {
			return &fileError{t.out, fmt.Errorf("its %d steps are done; --steps gives more", t.recipe.Steps)}
		}
		if h := t.recipe.Hours; h > 0 && o.From.State.Seconds >= h*3600 {
			return &fileError{t.out, fmt.Errorf("its %g hours are over; --hours gives more, 0 has no limit", h)}
		}
	}
	err := train.Run(ctx, &t.recipe, o)
	show.end()
	if err == nil {
		_, err = fmt.Fprintf(t.stdout, "%s: trained; i2sb-run pack %s -o %s.i2sb makes a pack\n", t.out, filepath.Join(t.out, "last.safetensors"), t.recipe.Name)
		return err
	}
	if errors.Is(err, train.ErrUnsaved) {
		t.complain("", err)
		if ctx.Err() == nil {
			return exitError(exitFailure)
		}
	} else if _, none := os.Stat(folder.Last()); ctx.Err() != nil && none == nil {
		fmt.Fprintf(t.stderr, "%s: saved; --resume goes on\n", t.out)
	}
	return classify(err)
}

// choose puts the recipe's file and then the flags over what there is. A new
// training takes network, bridge, licence and credits of what it starts from
// where they do not say.
func (t *trainee) choose(ctx context.Context, begins bool) error {
	base := t.recipe
	if err := t.overlay(); err != nil {
		return err
	}
	var from *weights.Header
	if begins && t.recipe.Init != "" {
		o, err := train.Origin(ctx, t.recipe.Init)
		if err != nil {
			return err
		}
		o.Close()
		from = &o.Header
		t.recipe = base
		t.recipe.Bridge, t.recipe.Licence, t.recipe.Credits = o.Header.Bridge, o.Header.Licence, o.Header.Credits
		if err := t.overlay(); err != nil {
			return err
		}
	}
	if err := t.recipe.Complete(from); err != nil {
		return &usageError{err}
	}
	return nil
}

func (t *trainee) overlay() error {
	if t.file != "" {
		b, err := os.ReadFile(t.file)
		if err == nil {
			err = t.recipe.Read(string(b))
		}
		if err != nil {
			return &fileError{t.file, err}
		}
	}
	for _, f := range t.set {
		if f.values == nil {
			continue
		}
		if err := f.apply(&t.recipe); err != nil {
			return usagef("--%s: %w", f.name, err)
		}
	}
	return nil
}
