package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/train/checkpoint"
	"github.com/i2sb-go/i2sb/train/recipe"
)

// TestBadPhotographs: files that cannot be read are named once and left out, and
// training goes on.
func TestBadPhotographs(t *testing.T) {
	dir := photos(t, 3)
	whole, err := os.ReadFile(filepath.Join(dir, "photo-0.png"))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"cut.png": whole[:len(whole)/2], "text.jpg": []byte("no picture"), "empty.webp": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r := short(dir)
	r.Validation.Split, r.Steps, r.Crops = 0, 20, []recipe.Crop{{Size: 8, Batch: 2, Share: 1}}
	o, h := options(t.TempDir())
	must(t, r, o)
	for _, name := range []string{"cut.png: the png is ", "text.jpg: not a picture", "empty.webp: "} {
		if h.count(name) != 1 {
			t.Errorf("%s was named %d times: %q", name, h.count(name), h.lines)
		}
	}
	if len(h.lines) != 3 {
		t.Errorf("said %q", h.lines)
	}
}

// TestBadHeldPictures: a held picture that cannot be read is left out of the
// validation; a training ends if there is no other.
func TestBadHeldPictures(t *testing.T) {
	dir := photos(t, 3)
	whole, err := os.ReadFile(filepath.Join(dir, "photo-0.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cut.png"), whole[:len(whole)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	r := short(dir)
	r.Validation.List = filepath.Join(t.TempDir(), "list.tsv")
	for list, want := range map[string]string{
		"cut.png\t0\t0\t16\t16\tmain\nphoto-1.png\t0\t0\t16\t16\tmain\n": "",
		"cut.png\t0\t0\t16\t16\tmain\n":                                  "none of the pictures that are held back can be read",
	} {
		if err := os.WriteFile(r.Validation.List, []byte(list), 0o666); err != nil {
			t.Fatal(err)
		}
		o, h := options(t.TempDir())
		err := run(t, r, o)
		if want == "" && (err != nil || last(t, o.Out).State.BestStep == 0) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", list, err)
		}
		if h.count("cut.png: the png is ") != 1 || len(h.lines) != 1 {
			t.Errorf("said %q", h.lines)
		}
	}
}

func TestManyBadFilesAreNotAllNamed(t *testing.T) {
	dir := photos(t, 2)
	for i := range 30 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("bad-%02d.jpg", i)), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r := short(dir)
	r.Steps = 1
	o, h := options(t.TempDir())
	must(t, r, o)
	if len(h.lines) != 10 || !strings.Contains(h.lines[9], "all others") {
		t.Errorf("said %q", h.lines)
	}
}

func TestFoldersThatCannotBeTrainedOn(t *testing.T) {
	empty, small, pairs, cut := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	paint(t, filepath.Join(small, "a.png"), 6, 40, 0, nil)
	paint(t, filepath.Join(small, "b.png"), 6, 40, 0, nil)
	paint(t, filepath.Join(pairs, "clean", "a.png"), 20, 20, 0, nil)
	paint(t, filepath.Join(cut, "a.png"), 20, 20, 0, nil)
	b, err := os.ReadFile(filepath.Join(cut, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cut, "a.png"), b[:len(b)-40], 0o666); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "list.tsv")
	if err := os.WriteFile(list, []byte("gone.png\t0\t0\t8\t8\tmain\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*recipe.Recipe)
		want   string
	}{
		"no folder":    {func(r *recipe.Recipe) { r.Data.Photos = filepath.Join(empty, "none") }, "none: no such file"},
		"a file":       {func(r *recipe.Recipe) { r.Data.Photos = list }, "not a folder"},
		"empty":        {func(r *recipe.Recipe) { r.Data.Photos = empty }, "there are no photographs in it"},
		"small":        {func(r *recipe.Recipe) { r.Data.Photos = small }, "smaller than 8×8"},
		"no degraded":  {func(r *recipe.Recipe) { r.Data.Photos, r.Data.Pairs = "", pairs }, "pairs lie in its folders clean and degraded"},
		"cut off":      {func(r *recipe.Recipe) { r.Data.Photos = cut }, "none of the pictures can be read"},
		"excluded":     {func(r *recipe.Recipe) { r.Data.Exclude = []string{"photo-*"} }, "no pictures are left"},
		"list":         {func(r *recipe.Recipe) { r.Validation.List = list }, "no picture gone.png"},
		"odd crops":    {func(r *recipe.Recipe) { r.Network.ChannelMult = "1,1"; r.Crops[0].Size = 9 }, "multiples of 2"},
		"no such init": {func(r *recipe.Recipe) { r.Init = filepath.Join(empty, "x.i2sb") }, "x.i2sb: no such file"},
		"no init":      {func(r *recipe.Recipe) { r.Init = list }, "neither a pack"},
		"other init":   {func(r *recipe.Recipe) { r.Init = "default" }, "this network needs"},
	} {
		t.Run(name, func(t *testing.T) {
			r := short(photos(t, 2))
			c.change(&r)
			o, _ := options(t.TempDir())
			err := run(t, r, o)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestNoCheckpoint: where checkpoints cannot be written training goes on, says so,
// and ends with an error.
func TestNoCheckpoint(t *testing.T) {
	r := short(photos(t, 2))
	r.Keep.Every, r.Validation.Every = 2, 0
	o, h := options(t.TempDir())
	// A folder of its name is in the way of the checkpoint of step 4.
	if err := os.MkdirAll(filepath.Join(o.Out, "step-00000004.safetensors", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(o.Out, "step-00000006.safetensors", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	steps := 0
	o.Progress = func(Progress) { steps++ }
	err := run(t, r, o)
	if err == nil || !strings.Contains(err.Error(), "the last checkpoint is of step 2") {
		t.Errorf("error %v", err)
	}
	if steps != 6 || h.count("no checkpoint: ") != 2 {
		t.Errorf("%d steps, said %q", steps, h.lines)
	}
	if c := last(t, o.Out); c.State.Steps != 2 {
		t.Errorf("the last checkpoint is of step %d", c.State.Steps)
	}
	if left, _ := filepath.Glob(filepath.Join(o.Out, ".i2sb-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestCheckpointsAreKept(t *testing.T) {
	r := short(photos(t, 3))
	r.Keep.Every, r.Keep.Last = 1, 2
	o, _ := options(t.TempDir())
	c := must(t, r, o)
	found, _ := filepath.Glob(filepath.Join(o.Out, "step-*.safetensors"))
	if len(found) != 2 || filepath.Base(found[1]) != "step-00000006.safetensors" {
		t.Errorf("kept %v", found)
	}
	best, err := checkpoint.Open(checkpoint.Folder(o.Out).Best())
	if err != nil {
		t.Fatal(err)
	}
	defer best.Close()
	if best.State.Steps != c.State.BestStep || best.State.Steps%3 != 0 {
		t.Errorf("best is of step %d, %+v", best.State.Steps, c.State)
	}
	if c.Header.Metrics["psnr.jpeg-14.degraded"] < 5 {
		t.Errorf("metrics %v", c.Header.Metrics)
	}
	var other error
	if _, other = checkpoint.Open(filepath.Join(o.Out, "train.csv")); other == nil || errors.Is(other, os.ErrNotExist) {
		t.Errorf("a table as a checkpoint: %v", other)
	}
}

// TestOneAtATime: a folder takes one training.
func TestOneAtATime(t *testing.T) {
	r := short(photos(t, 2))
	o, _ := options(t.TempDir())
	second := errors.New("it was never tried")
	o.Progress = func(p Progress) {
		if p.Step == 2 {
			other, _ := options(o.Out)
			second = run(t, r, other)
		}
	}
	must(t, r, o)
	if second == nil || !strings.Contains(second.Error(), "another process trains in it") {
		t.Errorf("the second: %v", second)
	}
}

// What training starts from is the best while nothing better came of it, also
// after --resume.
func TestStartIsTheBest(t *testing.T) {
	r := short(photos(t, 3))
	o, _ := options(t.TempDir())
	must(t, r, o)
	r.Init, r.Optimizer.Rate = checkpoint.Folder(o.Out).Last(), 0.3
	o.Out = t.TempDir()
	must(t, r, o)
	for _, steps := range []int{6, 9} {
		best, err := checkpoint.Open(checkpoint.Folder(o.Out).Best())
		if err != nil {
			t.Fatal(err)
		}
		if best.State.Steps != 0 {
			t.Errorf("after %d steps at a rate that ruins it the best is of step %d", steps, best.State.Steps)
		}
		best.Close()
		from := last(t, o.Out)
		if from.State.Steps != steps {
			t.Fatalf("step %d, want %d", from.State.Steps, steps)
		}
		if steps == 6 {
			var err error
			if o.From, err = checkpoint.Open(checkpoint.Folder(o.Out).Last()); err != nil {
				t.Fatal(err)
			}
			r.Steps = 9
			must(t, r, o)
		}
	}
}
