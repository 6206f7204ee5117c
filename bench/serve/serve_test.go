//go:build unix

package main

import (
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

// Short forms of what the command runs for longer.

func TestLoadAndAttacks(t *testing.T) {
	l, err := newLab(t.Context(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.load(t.Context(), options{clients: 64, span: 3 * time.Second}); err != nil {
		t.Error(err)
	}
	if err := l.attack(t.Context(), options{connections: 500, span: time.Second, bound: time.Minute}); err != nil {
		t.Error(err)
	}
}

func TestJudgeSeesWhatIsWrong(t *testing.T) {
	kinds, err := makeKinds(t.Context(), keepertest.Pack(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := kinds[0].judge(kinds[1].body); err == nil {
		t.Error("another picture passes")
	}
	if err := kinds[0].judge(kinds[0].body[:100]); err == nil {
		t.Error("half a picture passes")
	}
	if err := kinds[0].judge(kinds[0].body); err == nil {
		t.Error("the picture that was sent passes for its result")
	}
}
