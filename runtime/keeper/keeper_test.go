package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// fakes make models that fail as often as their device is told to.
type fakes struct {
	failures map[string]int // by device
	opened   []string
	open     int
}

type fake struct {
	*fakes
	device string
}

func (f *fakes) load(_ context.Context, src runtime.Source, device string) (model, error) {
	f.opened = append(f.opened, device)
	f.open++
	return &fake{f, device}, nil
}

func (f *fake) RestorePicture(_ context.Context, p *picture.Picture, _ ...runtime.Option) (*picture.Picture, *runtime.Result, error) {
	if p.Depth == 13 {
		panic("thirteen")
	}
	if f.failures[f.device] > 0 {
		f.failures[f.device]--
		return nil, nil, fmt.Errorf("step 3: %w", &runtime.DeviceError{Device: f.device, Err: errors.New("lost")})
	}
	return p, &runtime.Result{Device: f.device}, nil
}

func (f *fake) Memory(w, h int, _ ...runtime.Option) (runtime.Memory, error) {
	return runtime.Memory{Peak: int64(w * h)}, nil
}
func (f *fake) Device() string { return f.device }
func (f *fake) Close() error   { f.open--; return errors.New("the device is gone") }

func withFakes(t *testing.T, device string, failures map[string]int) (*Keeper, *fakes, *[]Kind) {
	var kinds []Kind
	var models []Model
	for _, name := range []string{"a", "b", "c"} {
		m, err := Read(t.Context(), name, runtime.Default())
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	k := newKeeper(models, Options{Device: device, On: func(e Event) { kinds = append(kinds, e.Kind) }})
	f := &fakes{failures: failures}
	k.load = f.load
	return k, f, &kinds
}

func job(t *testing.T) *Job {
	return &Job{Context: t.Context(), Picture: &picture.Picture{Image: bridge.NewImage(3, 2, 5), Depth: 8}}
}

func TestALostDeviceIsOpenedAfreshThenGivenUp(t *testing.T) {
	for _, c := range []struct {
		device   string
		failures map[string]int
		on       string
		fails    bool
		kinds    []Kind
	}{
		{"gpu", nil, "gpu", false, []Kind{Opened, Size}},
		{"gpu", map[string]int{"gpu": 1}, "gpu", false, []Kind{Opened, Size, Lost, Opened, Size}},
		{"gpu", map[string]int{"gpu": 2}, "cpu", false, []Kind{Opened, Size, Lost, Opened, Size, Fallback, Opened, Size}},
		{"gpu", map[string]int{"gpu": 2, "cpu": 1}, "", true, []Kind{Opened, Size, Lost, Opened, Size, Fallback, Opened, Size}},
		{"cpu", map[string]int{"cpu": 1}, "", true, []Kind{Opened, Size}},
	} {
		k, f, kinds := withFakes(t, c.device, c.failures)
		j := job(t)
		k.Run("a", j)
		if (j.Err != nil) != c.fails || !slices.Equal(*kinds, c.kinds) {
			t.Errorf("%v: %v, events %v", c.failures, j.Err, *kinds)
		}
		if j.Err == nil && j.Result.Device != c.on {
			t.Errorf("%v: ran on %s", c.failures, j.Result.Device)
		}
		k.Close()
		if f.open != 0 {
			t.Errorf("%v: %d models are open after Close", c.failures, f.open)
		}
	}
}

func TestFewModelsStayOpen(t *testing.T) {
	k, f, _ := withFakes(t, "gpu", nil)
	for _, name := range []string{"a", "b", "a", "c", "a", "b"} { // c drives b out, not a
		j := job(t)
		if k.Run(name, j); j.Err != nil {
			t.Fatal(j.Err)
		}
	}
	if len(f.opened) != 4 || f.open != 2 {
		t.Errorf("%d were opened, %d are open", len(f.opened), f.open)
	}
	j := job(t)
	if k.Run("d", j); j.Err == nil {
		t.Error("there is a model d")
	}
}

func TestOnePictureDoesNotEndTheOthers(t *testing.T) {
	k, _, _ := withFakes(t, "gpu", nil)
	group := []*Job{job(t), job(t), job(t)}
	group[0].Picture.Depth = 13
	c, cancel := context.WithCancel(t.Context())
	cancel()
	group[1].Context = c
	ended := 0
	for _, j := range group {
		j.End = func() { ended++ }
	}
	k.Run("a", group...)
	if group[0].Err == nil || !errors.Is(group[1].Err, context.Canceled) || group[2].Err != nil || ended != 3 {
		t.Errorf("%v, %v, %v; %d ended", group[0].Err, group[1].Err, group[2].Err, ended)
	}
	k.Close()
	j := job(t)
	if k.Run("a", j); !errors.Is(j.Err, runtime.ErrClosed) {
		t.Error(j.Err)
	}
}
