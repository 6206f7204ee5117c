package verify

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
)

// table is the name of a tensor of a schedule fixture, taken apart:
// INTERVAL.BETAMAX.TABLE, INTERVAL.noise_levels or INTERVAL.steps.nfeN. The
// point of beta_max makes one more dot.
type table struct {
	name     string
	interval int
	betaMax  float64 // 0: the table does not depend on it
	nfe      int
}

func parseTable(s string) (table, error) {
	bad := func(format string, args ...any) (table, error) {
		return table{}, fmt.Errorf("tensor %s: %s", s, fmt.Sprintf(format, args...))
	}
	first, rest, ok := strings.Cut(s, ".")
	n, err := strconv.Atoi(first)
	if !ok || err != nil || n < 2 || n > 1<<20 {
		return bad("it should start with an interval")
	}
	t := table{name: rest, interval: n}
	if rest == "noise_levels" {
		return t, nil
	}
	if nfe, ok := strings.CutPrefix(rest, "steps.nfe"); ok {
		if t.nfe, err = strconv.Atoi(nfe); err != nil {
			return bad("%q is no number of steps", nfe)
		}
		t.name = "steps"
		return t, nil
	}
	dot := strings.LastIndexByte(rest, '.')
	if dot < 0 {
		return bad("no table of a schedule is called %q", rest)
	}
	t.name = rest[dot+1:]
	if t.betaMax, err = strconv.ParseFloat(rest[:dot], 64); err != nil || !(t.betaMax > 0) {
		return bad("%q is no beta_max", rest[:dot])
	}
	return t, nil
}

// isSchedule asks for one name that starts with an interval.
func isSchedule(f *fixture) bool {
	for _, n := range f.names() {
		first, _, ok := strings.Cut(n, ".")
		if _, err := strconv.Atoi(first); ok && err == nil {
			return true
		}
	}
	return false
}

// schedule judges tables to a relative 1e-6 and lists of steps exactly.
func schedule(_ context.Context, j *job) ([]Row, error) {
	var rows []Row
	for _, name := range j.names() {
		t, err := parseTable(name)
		if err != nil {
			return nil, err
		}
		want, err := j.read(name)
		if err != nil {
			return nil, err
		}
		got, err := t.compute()
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		if len(want.shape) != 1 || len(want.v) != len(got) {
			return nil, fmt.Errorf("tensor %s is %v, it should have %d elements", name, want.shape, len(got))
		}
		share := scheduleTolerance
		if t.name == "steps" {
			share = 0
		}
		rows = append(rows, relative(name, want.v, got, share))
	}
	return rows, nil
}

func (t table) compute() ([]float64, error) {
	if t.name == "steps" {
		steps, err := bridge.Steps(t.interval, t.nfe)
		return floats(steps), err
	}
	c := bridge.Config{Interval: t.interval, BetaMax: t.betaMax, T0: 1e-4, T: 1}
	if t.betaMax == 0 {
		c.BetaMax = 0.3
	}
	s, err := bridge.NewSchedule(c)
	if err != nil {
		return nil, err
	}
	switch t.name {
	case "betas":
		return s.Betas, nil
	case "std_fwd":
		return s.StdFwd, nil
	case "std_bwd":
		return s.StdBwd, nil
	case "std_sb":
		return s.StdSB, nil
	case "mu_x0":
		return s.MuX0, nil
	case "mu_x1":
		return s.MuX1, nil
	case "noise_levels":
		return s.NoiseLevels, nil
	}
	return nil, fmt.Errorf("no table of a schedule is called %q", t.name)
}

func floats(n []int) []float64 {
	f := make([]float64, len(n))
	for i, v := range n {
		f[i] = float64(v)
	}
	return f
}
