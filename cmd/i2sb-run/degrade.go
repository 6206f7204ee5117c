package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// degrader degrades the pictures of one command line.
type degrader struct {
	*app
	task, mask, out string
	seed            uint64
	force           bool
	named           degrade.Operator // as the command line says, perhaps a mixture
}

// maskTask is the name of degrade.MaskFromGray, which degrade.Parse cannot make.
const maskTask = "inpaint-mask"

func (a *app) degradeCommand() *cobra.Command {
	d := &degrader{app: a}
	c := &cobra.Command{
		Use:   "degrade --task NAME FILE… -o OUT",
		Short: "Degrade pictures, to try restorations on",
		Long: "Degrades pictures and writes PNGs, clamped and rounded. OUT is a file, or a directory for several.\n" +
			"sr4x writes the small picture; inpainting writes its mask beside OUT as NAME.mask.png.\n" +
			"Names: " + strings.Join(degrade.Names(), ", ") + ",\n" + maskTask + " with --mask.",
		Example: "  i2sb-run degrade --task jpeg-10 photo.png -o bad.png",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, files []string) error { return d.run(c, files) },
	}
	c.Flags().StringVar(&d.task, "task", "", "degradation")
	c.Flags().StringVar(&d.mask, "mask", "", "hole of --task "+maskTask+": a picture of the same size, white where it is")
	c.Flags().StringVarP(&d.out, "output", "o", "", "file, or directory for several pictures")
	c.Flags().Uint64Var(&d.seed, "seed", 0, "seed of masks, noise and mixtures; every further picture takes the next one")
	c.Flags().BoolVar(&d.force, "force", false, "overwrite existing files")
	return c
}

func (d *degrader) run(c *cobra.Command, files []string) (err error) {
	if d.task == "" || d.out == "" {
		return usagef("degrade needs --task NAME and -o OUT")
	}
	if d.named, err = d.operator(); err != nil {
		return err
	}
	info, err := os.Stat(d.out)
	isDir := len(files) > 1 || strings.HasSuffix(d.out, "/") || err == nil && info.IsDir()
	if len(files) > 1 && err == nil && !info.IsDir() {
		return usagef("-o %s: several pictures need a directory, and this is a file", d.out)
	}
	ctx, failed := c.Context(), 0
	for i, f := range files {
		out := d.out
		if isDir {
			base := filepath.Base(f)
			out = filepath.Join(d.out, strings.TrimSuffix(base, filepath.Ext(base))+".png")
		} else if strings.ToLower(filepath.Ext(out)) != ".png" {
			return usagef("-o %s: degraded pictures are PNGs", out)
		}
		err := d.one(ctx, f, out, d.seed+uint64(i))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if len(files) == 1 {
				return &fileError{f, err}
			}
			d.complain(f, err)
			failed++
		}
	}
	switch failed {
	case 0:
		return nil
	case len(files):
		return exitError(exitFailure)
	}
	return exitError(exitPartly)
}

// operator is what --task and --mask name.
func (d *degrader) operator() (degrade.Operator, error) {
	switch {
	case d.task != maskTask && d.mask != "":
		return nil, usagef("--mask goes with --task %s, not %s", maskTask, d.task)
	case d.task != maskTask:
		op, err := degrade.Parse(d.task)
		if err != nil {
			return nil, &usageError{err}
		}
		return op, nil
	case d.mask == "":
		return nil, usagef("--task %s needs --mask FILE", maskTask)
	}
	values, w, h, err := readMask(d.mask, picture.Limits{})
	if err != nil {
		return nil, err
	}
	return degrade.MaskFromGray(values, w, h)
}

// one degrades a picture and writes it, and its mask if it has one.
func (d *degrader) one(ctx context.Context, in, out string, seed uint64) error {
	op := degrade.Chosen(d.named, seed)
	mask := strings.TrimSuffix(out, filepath.Ext(out)) + ".mask.png"
	masker, masked := op.(degrade.Masker)
	for _, path := range []string{out, mask} {
		if _, err := os.Lstat(path); err == nil && (path == out || masked) {
			if sameFile(in, path) {
				return fmt.Errorf("the output would replace the input; give another -o")
			}
			if !d.force {
				return &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
			}
		}
	}
	f, err := os.Open(in)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := picture.Decode(f, picture.Limits{})
	if err != nil {
		return err
	}
	q := p.Derive()
	if s, ok := op.(degrade.Shrinker); ok && runtime.Family(op.Name()) == "sr4x" {
		q.Image, err = s.Small(p.Image, seed)
		q.Alpha = nil // it has another size
	} else {
		q.Image, err = op.Apply(p.Image, seed)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return err
	}
	if masked {
		m := bridge.NewImage(1, p.Image.H, p.Image.W)
		for i, v := range masker.Mask(m.H, m.W, seed) {
			m.Pix[i] = bridge.Level8(v)
		}
		if err := d.save(ctx, mask, &picture.Picture{Image: m, Depth: 8, Grey: true}); err != nil {
			return err
		}
	}
	q.Text = map[string]string{"Software": "i2sb-run", "degraded by": op.Name(), "seed": fmt.Sprint(seed)}
	return d.save(ctx, out, q)
}

func (d *degrader) save(ctx context.Context, path string, p *picture.Picture) error {
	return write(ctx, path, d.force, func(w io.Writer) error { return picture.Encode(w, p, "png", 0) })
}
