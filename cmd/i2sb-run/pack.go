package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/train/initial"
	"github.com/i2sb-go/i2sb/weights"
)

// packer makes a pack of a checkpoint.
type packer struct {
	*app
	out, options, netConfig, header, encoding string
	name, licence, credits                    string
	tasks                                     []string
	net, force                                bool
}

func (a *app) packCommand() *cobra.Command {
	p := &packer{app: a}
	c := &cobra.Command{
		Use:   "pack IN -o OUT.i2sb",
		Short: "Make a weight pack of a checkpoint",
		Long: "Reads a checkpoint of train (also while that goes on), a .pt file (official I²SB layout or plain state dict;\n" +
			"nothing in it is run), a safetensors file or a pack, and writes a pack. What foreign weights are for is read\n" +
			"from options.json or options.pkl beside IN; a network that they do not describe is taken for ADM-256, as in\n" +
			"every official checkpoint.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVarP(&p.out, "output", "o", "", "pack to write")
	f.BoolVar(&p.net, "net", false, "take the plain weights in place of their moving average")
	f.StringVar(&p.options, "options", "", "options file; default: options.json or options.pkl beside IN")
	f.StringVar(&p.netConfig, "net-config", "", "network configuration: JSON, or a file of it")
	f.StringVar(&p.encoding, "encoding", "f16", "f32, f16, bf16 or int8")
	f.StringSliceVar(&p.tasks, "task", nil, "tasks the network was trained for; default: those of the options")
	f.StringVar(&p.name, "name", "", "name of the pack; default: OUT's")
	f.StringVar(&p.licence, "licence", "", "SPDX licence of the weights")
	f.StringVar(&p.credits, "credits", "", "whom to thank")
	f.StringVar(&p.header, "header", "", "JSON file with more fields of the header: tasks, provenance, metrics, …")
	f.BoolVar(&p.force, "force", false, "overwrite an existing file")
	return c
}

func (p *packer) run(ctx context.Context, in string) error {
	if p.out == "" {
		return usagef("pack needs -o OUT.i2sb")
	}
	encoding, err := weights.ParseDType(p.encoding)
	if err != nil {
		return &usageError{err}
	}
	if sameFile(in, p.out) {
		return &fileError{in, fmt.Errorf("the output would replace the input; give another -o")}
	}
	if _, err := os.Lstat(p.out); err == nil && !p.force {
		return &fs.PathError{Op: "write", Path: p.out, Err: fs.ErrExist}
	}
	o, err := initial.Open(in, p.net, p.options)
	if err != nil {
		return &fileError{in, err}
	}
	defer o.Close()
	src, h := o.Source, o.Header
	if err := p.describe(&h); err != nil {
		return err
	}
	if h.Network.OutChannels == 0 || h.Network.OutChannels == 3 { // an original ADM network: its variances are cut off
		src, h.Network.LearnSigma = weights.CutVariance(src), false
	}
	if err := runtime.CheckWeights(h.Network, src); err != nil {
		return &fileError{in, fmt.Errorf("%w; --net-config describes another network", err)}
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(o.File, 0, 1<<62)); err != nil {
		return &fileError{in, err}
	}
	h.SourceSHA256 = hex.EncodeToString(sum.Sum(nil))
	writing.Lock()
	err = picture.WriteFile(p.out, p.force, func(w io.Writer) error {
		return weights.Write(w, h, cancellable{src, ctx}, weights.WriteOptions{Encoding: encoding})
	})
	writing.Unlock()
	if err != nil {
		return err
	}
	info, err := os.Stat(p.out)
	if err != nil {
		return err
	}
	plain := ""
	if o.Plain {
		plain = "; plain weights, for there is no moving average"
	}
	_, err = fmt.Fprintf(p.stdout, "%s: %d tensors, %s, %d bytes%s\n", p.out, len(src.Tensors()), encoding, info.Size(), plain)
	return err
}

// describe puts the flags into the header.
func (p *packer) describe(h *weights.Header) error {
	if p.header != "" {
		b, err := os.ReadFile(p.header)
		if err == nil {
			err = json.Unmarshal(b, h)
		}
		if err != nil {
			return &fileError{p.header, err}
		}
	}
	if p.netConfig != "" {
		b := []byte(p.netConfig)
		if !strings.HasPrefix(strings.TrimSpace(p.netConfig), "{") {
			var err error
			if b, err = os.ReadFile(p.netConfig); err != nil {
				return err
			}
		}
		h.Network = weights.Network{}
		if err := json.Unmarshal(b, &h.Network); err != nil {
			return usagef("--net-config: %w", err)
		}
	}
	if p.tasks != nil {
		h.Tasks = nil
		for _, t := range p.tasks {
			h.Tasks = append(h.Tasks, weights.Task{Name: strings.TrimSpace(t)})
		}
	}
	for to, v := range map[*string]string{&h.Name: p.name, &h.Licence: p.licence, &h.Credits: p.credits} {
		if v != "" {
			*to = v
		}
	}
	if h.Name == "" {
		h.Name = strings.TrimSuffix(filepath.Base(p.out), filepath.Ext(p.out))
	}
	return nil
}

// cancellable is a source whose reads end with a context.
type cancellable struct {
	weights.Source
	ctx context.Context
}

func (s cancellable) ReadF32(name string, dst []float32) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.Source.ReadF32(name, dst)
}
