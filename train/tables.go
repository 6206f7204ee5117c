package train

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/i2sb-go/i2sb/train/watch"
)

// tables are the CSV files of a run and the plots of them.
type tables struct {
	dir         string
	steps       *watch.Table
	validations *watch.Table
	sum         float64 // of the losses since the last row
	n           int
	told        bool // that the disk is full
}

func (t *tables) open(dir string, step int) (err error) {
	t.dir = dir
	if t.steps, err = watch.OpenTable(filepath.Join(dir, "train.csv"), []string{"step", "loss", "rate", "images_per_second", "seconds", "images"}, step); err != nil {
		return err
	}
	t.validations, err = watch.OpenTable(filepath.Join(dir, "validation.csv"), []string{"step", "task", "nfe", "psnr_degraded", "psnr_restored"}, step)
	return err
}

// step adds a row after every so many steps, with the mean loss since the last.
func (t *tables) step(step int, loss, rate, perSecond, seconds float64, images int64, every int, say func(string)) {
	t.sum, t.n = t.sum+loss, t.n+1
	if step%every != 0 {
		return
	}
	t.tell(t.steps.Add(step, t.sum/float64(t.n), rate, perSecond, seconds, images), say)
	t.sum, t.n = 0, 0
}

// validation adds the rows of a validation and draws the plots.
func (t *tables) validation(step int, rows []watch.Row, say func(string)) {
	var err error
	for _, r := range rows {
		err = errors.Join(err, t.validations.Add(step, r.Task, r.NFE, r.Before, r.After))
	}
	x, y := t.steps.Series(1, nil)
	err = errors.Join(err, watch.Plot(filepath.Join(t.dir, "loss.png"), "loss", "mean since the point before", true, []watch.Curve{{Name: "loss", X: x, Y: y}, {Name: "smoothed", X: x, Y: watch.Smooth(y)}}))
	var curves []watch.Curve
	for _, r := range rows {
		x, y := t.validations.Series(4, func(row []string) bool {
			return row[1] == r.Task && row[2] == strconv.Itoa(r.NFE)
		})
		curves = append(curves, watch.Curve{Name: fmt.Sprintf("%s, steps %d; degraded %.2f", r.Task, r.NFE, r.Before), X: x, Y: y})
	}
	err = errors.Join(err, watch.Plot(filepath.Join(t.dir, "psnr.png"), "PSNR of held pictures", "dB", false, curves))
	t.tell(err, say)
}

// tell says once that figures could not be written: training does not need them.
func (t *tables) tell(err error, say func(string)) {
	if err != nil && !t.told {
		t.told = true
		say(fmt.Sprintf("figures are not written: %v; training goes on", err))
	}
}

func (t *tables) close() {
	for _, c := range []*watch.Table{t.steps, t.validations} {
		if c != nil {
			_ = c.Close()
		}
	}
}
