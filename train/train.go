// Package train trains networks: pictures in, checkpoints, figures and plots
// out. Gradients, the optimiser and the moving average are runtime.Trainer's.
//
// A training is exact: the recipe's seed and a position in the data are all that
// its random numbers follow from, so that one that was killed and resumed ends
// with the weights of one that was not, bit for bit on the CPU.
package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/checkpoint"
	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/train/watch"
)

// Options say where and how a recipe is trained; none of them changes what
// comes of it, but for the device's rounding.
type Options struct {
	Out     string // folder of checkpoints, tables, plots and grids
	Device  string // as in runtime.WithDevice
	Threads int    // of the CPU; 0: all
	// Precision is f32, "" being the same, or bf16 for a CPU with AMX: products of
	// bfloat16, and float32 in all that is kept.
	Precision string
	Ahead     int // steps whose data is drawn ahead; 0: 4
	// From is the checkpoint to go on from, nil to begin. It is closed once it
	// is read: on Windows an open file cannot be replaced.
	From *checkpoint.Checkpoint
	// Say is told what someone should know, a line each.
	Say func(line string)
	// Progress is called after every step, if it is not nil.
	Progress func(Progress)
	// Writing is held while a file has a temporary name, if it is not nil.
	Writing sync.Locker
}

// Progress is how far a training is.
type Progress struct {
	Step, Steps int     // Step is 0 for what a training starts from
	Loss        float64 // of this step; 0 before the first
	Rate        float64
	Images      float64 // a second, lately
	Elapsed     time.Duration
	Left        time.Duration // an estimate; 0: unknown
	Rows        []watch.Row   // of a validation that this step ended with
}

// ErrUnsaved says that a training ended and could not write its last state.
var ErrUnsaved = errors.New("the last steps are lost")

// patience is how many steps without a number in a row end a training.
const patience = 10

// training is a run of Run.
type training struct {
	recipe  *recipe.Recipe
	opt     Options
	folder  checkpoint.Folder
	lock    io.Closer // of the folder
	drawer  *drawer
	trainer *runtime.Trainer
	valid   *watch.Validation // nil: none
	tables  tables
	rate    func(int) float64
	device  string
	items   int // that are trained on
	metrics map[string]float64

	state   checkpoint.State
	began   time.Time // minus the seconds before
	saved   int       // step of the last checkpoint, -1: none
	savedAt time.Time
}

// Run trains until the recipe's steps or hours are over, but for one step at
// least, or until ctx ends, which leaves a checkpoint too. The recipe must be
// complete.
func Run(ctx context.Context, r *recipe.Recipe, o Options) error {
	t := newTraining(r, o)
	defer t.close()
	if err := t.prepare(ctx); err != nil {
		return err
	}
	return t.loop(ctx)
}

func newTraining(r *recipe.Recipe, o Options) *training {
	if o.Ahead == 0 {
		o.Ahead = 4
	}
	t := &training{recipe: r, opt: o, folder: checkpoint.Folder(o.Out), rate: r.RateOf(), saved: -1, savedAt: time.Now()}
	if o.From != nil {
		t.state, t.saved = o.From.State, o.From.State.Steps
		t.metrics = o.From.Header.Metrics
	}
	return t
}

// close frees whatever there is.
func (t *training) close() {
	t.tables.close()
	if t.trainer != nil {
		_ = t.trainer.Close()
	}
	if t.lock != nil {
		_ = t.lock.Close()
	}
}

func (t *training) loop(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	queue := feed(ctx, t.drawer, t.state.Position, t.opt.Ahead)
	t.began = time.Now().Add(-time.Duration(t.state.Seconds * float64(time.Second)))
	left := 0 // steps that were left out, in a row
	var pace pace
	if err := t.before(ctx); err != nil {
		return err
	}
	for over := false; !over; {
		var g drawn
		select {
		case c := <-queue:
			g = <-c
		case <-ctx.Done():
			return t.end(ctx.Err())
		}
		if g.err != nil {
			return t.end(g.err)
		}
		loss, err := t.step(ctx, g.group)
		if errors.Is(err, runtime.ErrNoNumber) {
			t.state.Position++
			t.opt.Say(fmt.Sprintf("step %d: %v", t.state.Steps+1, err))
			if left++; left == patience {
				return t.end(fmt.Errorf("%d steps in a row had no numbers; the weights are those of step %d, from before; --resume with a lower --rate goes on", left, t.state.Steps))
			}
			continue
		}
		if err != nil {
			return t.end(err)
		}
		left = 0
		t.state.Steps, t.state.Position = t.trainer.Steps(), t.state.Position+1
		t.state.Images += int64(g.images)
		pace.add(g.images)
		over = t.state.Steps >= t.recipe.Steps || t.late()
		if err := t.after(ctx, loss, &pace, over); err != nil {
			return t.end(err)
		}
	}
	return t.end(nil)
}

// before measures what a new training starts from, if that is no random network,
// and keeps it: nothing may come of the training that is better.
func (t *training) before(ctx context.Context) error {
	if t.valid == nil || t.state.Steps > 0 || t.recipe.Init == "" {
		return nil
	}
	rows, err := t.validate(ctx)
	if err != nil {
		return err
	}
	if t.better(rows) {
		t.keep(true)
	}
	if t.opt.Progress != nil {
		t.opt.Progress(Progress{Steps: t.recipe.Steps, Elapsed: time.Since(t.began), Rows: rows})
	}
	return nil
}

// step is one step of the optimiser; it returns the mean loss of its batches.
func (t *training) step(ctx context.Context, g *group) (loss float64, err error) {
	for _, b := range g.batches {
		l, err := t.trainer.Add(ctx, b)
		if err != nil {
			return 0, err
		}
		loss += l / float64(len(g.batches))
	}
	return loss, t.trainer.Step()
}

// late tells whether the hours are over.
func (t *training) late() bool {
	return t.recipe.Hours > 0 && time.Since(t.began).Hours() >= t.recipe.Hours
}

// left is when the recipe's steps or hours will be over.
func (t *training) left(pace *pace) time.Duration {
	d := pace.left(t.recipe.Steps - t.state.Steps)
	if h := t.recipe.Hours; h > 0 {
		d = min(d, max(0, time.Duration(h*float64(time.Hour))-time.Since(t.began)))
	}
	return d
}

// after does what is due after a step, which may be the last one.
func (t *training) after(ctx context.Context, loss float64, pace *pace, last bool) error {
	s, r, perSecond := &t.state, t.recipe, pace.perSecond()
	s.Seconds = time.Since(t.began).Seconds()
	t.tables.step(s.Steps, loss, t.rate(s.Steps), perSecond, s.Seconds, s.Images, r.Keep.Log, t.opt.Say)
	var rows []watch.Row
	best := false
	if v := r.Validation.Every; t.valid != nil && v > 0 && (s.Steps%v == 0 || last) {
		var err error
		if rows, err = t.validate(ctx); err != nil {
			return err
		}
		best = t.better(rows)
	}
	due := r.Keep.Minutes > 0 && time.Since(t.savedAt) >= time.Duration(r.Keep.Minutes)*time.Minute
	if best || due || s.Steps%r.Keep.Every == 0 {
		t.keep(best)
	}
	if t.opt.Progress != nil {
		t.opt.Progress(Progress{s.Steps, r.Steps, loss, t.rate(s.Steps), perSecond, time.Since(t.began), t.left(pace), rows})
	}
	return nil
}

// keep saves, or says why it could not.
func (t *training) keep(best bool) {
	if err := t.save(best); err != nil {
		t.opt.Say(fmt.Sprintf("no checkpoint: %v; training goes on and will try again", err))
	}
}

// better tells whether a validation is the best so far, and remembers it. One
// without numbers never is.
func (t *training) better(rows []watch.Row) bool {
	s, gain := &t.state, watch.Gain(rows)
	measured := s.BestStep > 0 || s.Best != 0 // the best may be what training started from
	if math.IsNaN(gain) || measured && gain <= s.Best {
		return false
	}
	s.Best, s.BestStep = gain, s.Steps
	return true
}

// end saves what was not, and returns the error that ended the training, or that
// of saving.
func (t *training) end(cause error) error {
	if t.state.Steps == t.saved || t.state.Steps == 0 {
		return cause
	}
	t.state.Seconds = time.Since(t.began).Seconds()
	err := t.save(false)
	if err != nil {
		return errors.Join(cause, fmt.Errorf("%w; the last checkpoint is of step %d: %w", ErrUnsaved, max(0, t.saved), err))
	}
	return cause
}

func (t *training) save(best bool) error {
	if w := t.opt.Writing; w != nil {
		w.Lock()
		defer w.Unlock()
	}
	t.savedAt = time.Now() // also of an attempt: a full disk is not asked again at once
	if err := t.folder.Save(t.state.Steps, t.recipe.Keep.Last, best, t.write); err != nil {
		return err
	}
	t.saved = t.state.Steps
	return nil
}

// schedule is the recipe's bridge.
func schedule(r *recipe.Recipe) (*bridge.Schedule, error) {
	return bridge.NewSchedule(bridge.Config(r.Bridge))
}
