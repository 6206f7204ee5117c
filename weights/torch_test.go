package weights

import (
	"os"
	"testing"
)

func openPT(t *testing.T, name string, net bool) *Checkpoint {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, _ := f.Stat()
	c, err := OpenCheckpoint(f, info.Size(), net)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBothCheckpointFormatsHoldTheSame(t *testing.T) {
	for _, net := range []bool{true, false} {
		a, b := openPT(t, "checkpoint.pt", net), openPT(t, "checkpoint.legacy.pt", net)
		if a.EMA == net || b.EMA == net {
			t.Errorf("net %v: EMA %v and %v", net, a.EMA, b.EMA)
		}
		if len(a.Tensors()) != len(b.Tensors()) || len(a.Tensors()) < 50 {
			t.Fatalf("%d and %d tensors", len(a.Tensors()), len(b.Tensors()))
		}
		for _, info := range a.Tensors() {
			x, y := make([]float32, info.Len()), make([]float32, info.Len())
			if err := a.ReadF32(info.Name, x); err != nil {
				t.Fatal(err)
			}
			if err := b.ReadF32(info.Name, y); err != nil {
				t.Fatal(err)
			}
			for i := range x {
				if x[i] != y[i] {
					t.Fatalf("%s differs", info.Name)
				}
			}
		}
	}
}
