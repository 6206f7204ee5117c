// Command i2sb-run restores photographs with Schrödinger bridges.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitPartly      = 3 // some pictures of a batch failed
	exitInterrupted = 130
)

func main() {
	ctx, stop := interruptible()
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// writing is held while an output exists under a temporary name.
var writing sync.Mutex

// interruptible ends with the first SIGINT or SIGTERM. A second one ends the
// process, but not between an output's temporary name and its own.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	c := make(chan os.Signal, 2)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-c
		cancel()
		<-c
		for range 100 {
			if writing.TryLock() {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		os.Exit(exitInterrupted)
	}()
	return ctx, cancel
}

// app is where a command reads and writes.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run is the whole command; it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin, stdout, stderr}
	root := &cobra.Command{
		Use:           "i2sb-run",
		Short:         "Restore photographs with Schrödinger bridges (I²SB)",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.AddCommand(a.restoreCommand(), a.degradeCommand(), a.packCommand(), a.trainCommand(), a.infoCommand(), a.evalCommand(), a.verifyCommand(), a.benchCommand(),
		a.devicesCommand(), a.webCommand(), a.serveCommand(), a.workerCommand(), a.submitCommand(), a.versionCommand())
	root.InitDefaultCompletionCmd(args...)
	if c, _, err := root.Find([]string{"completion"}); err == nil {
		c.Args, c.RunE = nil, func(_ *cobra.Command, args []string) error {
			return usagef("completion %s: write bash, zsh, fish or powershell", strings.Join(args, " "))
		}
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	var usage *usageError
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "i2sb-run: interrupted")
		return exitInterrupted
	case !started || errors.As(err, &usage):
		a.complain("", err)
		fmt.Fprintf(stderr, "See %s --help.\n", c.CommandPath())
		return exitUsage
	}
	a.complain("", err)
	return exitFailure
}

// complain prints an error in one short line, with what to do about it.
func (a *app) complain(file string, err error) {
	fmt.Fprintf(a.stderr, "i2sb-run: %s\n", oneLine(message(file, err)))
}

// oneLine makes a text fit for a terminal: names in hostile files may hold
// anything.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
	if r := []rune(text); len(r) > 220 {
		text = string(r[:219]) + "…"
	}
	return text
}
