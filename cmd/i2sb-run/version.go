package main

import (
	"fmt"
	goruntime "runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program and of Go",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version, revision, cgo := "(devel)", "", "0"
			if b, ok := debug.ReadBuildInfo(); ok {
				if b.Main.Version != "" {
					version = b.Main.Version
				}
				for _, s := range b.Settings {
					switch s.Key {
					case "vcs.revision":
						revision = " " + s.Value
					case "CGO_ENABLED":
						cgo = s.Value
					}
				}
			}
			_, err := fmt.Fprintf(a.stdout, "i2sb-run %s%s\n%s %s/%s cgo=%s\n", version, revision, goruntime.Version(), goruntime.GOOS, goruntime.GOARCH, cgo)
			return err
		},
	}
}
