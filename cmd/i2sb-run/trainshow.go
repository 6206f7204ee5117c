package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/i2sb-go/i2sb/train"
	"github.com/i2sb-go/i2sb/train/watch"
)

// between are the seconds from line to line where there is no terminal.
const between = 30 * time.Second

// trainShow shows a training: a live line on a terminal, else a line now and then.
type trainShow struct {
	w      io.Writer
	quiet  bool
	live   *progress // nil: no terminal
	next   time.Time
	losses float64 // smoothed
}

func (t *trainee) show() *trainShow {
	return &trainShow{w: t.stderr, quiet: t.quiet, live: newProgress(t.stderr, t.quiet)}
}

// say prints a line.
func (s *trainShow) say(line string) {
	if s.live != nil && s.live.bar != nil {
		_ = s.live.bar.Clear()
	}
	fmt.Fprintf(s.w, "i2sb-run: %s\n", oneLine(line))
}

func (s *trainShow) progress(p train.Progress) {
	if p.Rows != nil && !s.quiet {
		s.say(fmt.Sprintf("step %d: %s", p.Step, describe(p.Rows)))
	}
	if p.Step == 0 {
		return
	}
	if s.losses == 0 {
		s.losses = p.Loss
	}
	s.losses += (p.Loss - s.losses) / 50
	if s.quiet {
		return
	}
	text := fmt.Sprintf("loss %.4g, %.3g images/s", s.losses, p.Images)
	if p.Left > 0 {
		text += ", " + p.Left.Round(time.Second).String() + " left"
	}
	switch now := time.Now(); {
	case s.live != nil:
		if s.live.bar == nil {
			s.live.bar = s.live.line(int64(p.Steps), text, progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionThrottle(100*time.Millisecond))
		}
		s.live.bar.Describe(text)
		_ = s.live.bar.Set(p.Step)
	case now.After(s.next) || p.Step == p.Steps:
		s.next = now.Add(between)
		fmt.Fprintf(s.w, "step %d of %d: %s\n", p.Step, p.Steps, text)
	}
}

// describe is a validation in words.
func describe(rows []watch.Row) string {
	var parts []string
	for _, r := range rows {
		name := r.Task
		if name == "" {
			name = "pairs"
		}
		if r.NFE > 1 {
			name = fmt.Sprintf("%s in %d", name, r.NFE)
		}
		parts = append(parts, fmt.Sprintf("%s %.2f dB (%+.2f)", name, r.After, r.After-r.Before))
	}
	return strings.Join(parts, ", ")
}

func (s *trainShow) end() { s.live.end() }
