package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/runtime/verify"
)

func (a *app) verifyCommand() *cobra.Command {
	var opt verify.Options
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify FILE…",
		Short: "Judge fixtures of reference numbers, or a pack's checksums",
		Long: "Recognises each file by what it holds (schedule, unet, sample, operators, checkpoint, train, shapes, pack),\n" +
			"runs it and compares every reference tensor. Exit code 1 if one is outside its tolerance.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			if err := checkThreads(opt.Threads); err != nil {
				return err
			}
			if err := opt.Check(); err != nil {
				return classify(err)
			}
			rows := []verify.Row{} // so that JSON says [] and not null
			wrong := 0
			for _, f := range files {
				r, err := verify.File(c.Context(), f, opt)
				if c.Context().Err() != nil {
					return c.Context().Err()
				}
				if err != nil {
					wrong++
					a.complain(f, err)
				}
				rows = append(rows, r...)
			}
			print := a.verifyTable
			if asJSON {
				print = a.verifyJSON
			}
			if err := print(rows); err != nil {
				return err
			}
			for _, r := range rows {
				if !r.OK {
					wrong++
				}
			}
			if wrong > 0 {
				return exitError(exitFailure)
			}
			return nil
		},
	}
	c.Flags().StringVar(&opt.Device, "device", "auto", "what to run on: auto, cpu, gpu, gpu:N or part of a GPU's name (see devices), ref")
	c.Flags().IntVar(&opt.Threads, "threads", 0, "CPU threads; 0: all")
	c.Flags().StringVar(&opt.Precision, "precision", "f32", "f32; f16, in which a GPU stores; bf16, in which a CPU with AMX multiplies")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return c
}

func (a *app) verifyJSON(rows []verify.Row) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}

func (a *app) verifyTable(rows []verify.Row) error {
	if len(rows) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "file\ttensor\tmax |Δ|\ttolerance\t")
	ok := 0
	for _, r := range rows {
		verdict := "NOT OK"
		if r.OK {
			verdict = "ok"
			ok++
		}
		fmt.Fprintf(w, "%s\t%s\t%.3g\t%.3g\t%s\n", r.File, r.Tensor, r.MaxAbsErr, r.Tolerance, verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "%d of %d ok\n", ok, len(rows))
	return err
}

func checkThreads(n int) error {
	if n < 0 {
		return usagef("threads %d: a number from 1 on, or 0 for all", n)
	}
	return nil
}
