package main

import (
	"encoding/json"
	"fmt"
)

// record is what --json prints for a picture.
type record struct {
	Input   string  `json:"input"`
	Output  string  `json:"output"`
	Task    string  `json:"task"`
	Sampler string  `json:"sampler"`
	Steps   int     `json:"steps"`
	Seed    uint64  `json:"seed"`
	Device  string  `json:"device"`
	Instead string  `json:"fallback,omitempty"` // why not on the GPU, or in smaller tiles
	Tiles   int     `json:"tiles"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	Seconds float64 `json:"seconds"`
	Skipped bool    `json:"skipped,omitempty"` // it was done before
	Error   string  `json:"error,omitempty"`
}

// report prints what became of a picture, if standard output is free for it.
func (r *restorer) report(rec record, j job) error {
	if r.asJSON {
		e := json.NewEncoder(r.stdout)
		e.SetEscapeHTML(false)
		return e.Encode(rec)
	}
	if r.quiet || j.out == "-" || rec.Error != "" {
		return nil
	}
	if rec.Skipped {
		_, err := fmt.Fprintf(r.stdout, "%s: done before\n", j.out)
		return err
	}
	task := rec.Task
	if task != "" { // a pack may name none
		task += ", "
	}
	_, err := fmt.Fprintf(r.stdout, "%s: %d×%d, %s%s, %d %s, %.1f s\n", j.out, rec.Width, rec.Height, task,
		rec.Sampler, rec.Steps, plural("step", rec.Steps), rec.Seconds)
	return err
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
