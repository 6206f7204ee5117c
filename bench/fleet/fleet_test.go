//go:build unix

package main

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	beNATS()
	os.Exit(m.Run())
}

// TestStorm is the short form.
func TestStorm(t *testing.T) {
	l, err := newLab(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.storm(t.Context(), options{jobs: 40, poison: 2, every: 400 * time.Millisecond, seed: 1}); err != nil {
		t.Error(err)
	}
}
