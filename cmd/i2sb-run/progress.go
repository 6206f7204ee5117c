package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows files and steps on a terminal; nil shows nothing.
type progress struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

func newProgress(w io.Writer, quiet bool) *progress {
	f, ok := w.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{w: w}
}

// begin shows picture number i of n.
func (p *progress) begin(name string, i, n, steps int) {
	if p == nil {
		return
	}
	if r := []rune(name); len(r) > 32 {
		name = string(r[:15]) + "…" + string(r[len(r)-16:])
	}
	if n > 1 {
		name = fmt.Sprintf("%d/%d %s", i+1, n, name)
	}
	p.bar = p.line(int64(steps), name, progressbar.OptionShowCount(), progressbar.OptionSetItsString("step"))
}

// line starts a bar of n parts.
func (p *progress) line(n int64, name string, more ...progressbar.Option) *progressbar.ProgressBar {
	theme := progressbar.ThemeASCII
	color := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if color {
		theme = progressbar.Theme{Saucer: "[green]█[reset]", SaucerPadding: " ", BarStart: "▕", BarEnd: "▏"}
	}
	return progressbar.NewOptions64(n, append(more, progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(name),
		progressbar.OptionSetWidth(24), progressbar.OptionSetTheme(theme), progressbar.OptionEnableColorCodes(color),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true))...)
}

// bytes shows a download.
func (p *progress) bytes(done, total int64) {
	if p == nil || total <= 0 {
		return
	}
	if p.bar == nil {
		p.bar = p.line(total, "pack", progressbar.OptionShowBytes(true))
	}
	_ = p.bar.Set64(done)
}

func (p *progress) step(done int) {
	if p != nil && p.bar != nil {
		_ = p.bar.Set(done)
	}
}

// end clears the line.
func (p *progress) end() {
	if p != nil && p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}
