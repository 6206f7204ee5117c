package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/runtime"
)

func (a *app) devicesCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "devices",
		Short: "List what networks can run on",
		Long: "Lists the CPU and the GPUs, by the names that --device takes, and what each GPU was seen to do by\n" +
			"compiling and running. auto takes the best GPU that is no software adapter, else the CPU.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all, missing := runtime.Devices(c.Context())
			if c.Context().Err() != nil {
				return c.Context().Err()
			}
			if len(all) == 0 {
				return missing
			}
			if missing != nil {
				fmt.Fprintf(a.stderr, "i2sb-run: no GPU: %v\n", missing)
			}
			if asJSON {
				e := json.NewEncoder(a.stdout)
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				return e.Encode(all)
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "device\tkind\tname\tvendor\tbackend\tdriver\tbuffer\tbinding\tprobed\t")
			for _, d := range all {
				fmt.Fprintln(w, strings.Join(row(d), "\t")+"\t")
			}
			if err := w.Flush(); err != nil {
				return err
			}
			for _, d := range all {
				if d.Auto {
					fmt.Fprintf(a.stdout, "\nauto takes %s: %s\n", d.ID, d.Why)
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return c
}

// row is a device's line of the table.
func row(d runtime.DeviceListing) []string {
	r := []string{d.ID, d.Kind, d.Name, d.Vendor, d.Backend, d.Driver, "", "", d.Error}
	if d.Kind == "cpu" || d.Error != "" {
		return r
	}
	r[6], r[7] = fmt.Sprintf("%d MiB", d.Buffer>>20), fmt.Sprintf("%d MiB", d.Binding>>20)
	can := []string{fmt.Sprintf("had %d MiB, bound %d", d.Allocated>>20, d.Reached>>20)}
	for _, p := range []struct {
		has  bool
		name string
	}{{d.F16, "f16"}, {d.Subgroups, "subgroups"}, {d.Timestamps, "timestamps"}} {
		if p.has {
			can = append(can, p.name)
		}
	}
	r[8] = strings.Join(append(can, fmt.Sprintf("halves move %.1f times as fast", d.HalfSpeed)), ", ")
	return r
}
