package eval

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Ledger keeps records in a CSV while a run makes them, and Inception's
// features in a file beside it, so that a later run goes on from them. Both are
// replaced as wholes, at most every few seconds; lines that a run does not
// measure stay.
type Ledger struct {
	path     string
	sheet    Sheet
	known    []Record // of earlier runs
	at       map[Key]int
	features *Features // nil without Inception
	records  []Record  // of this run
	next     time.Time // when they are written again
}

// OpenLedger reads what earlier runs left at path, if anything. inception is the
// ID of its weights, "" without.
func OpenLedger(path string, s Sheet, inception string) (*Ledger, error) {
	l := &Ledger{path: path, sheet: s, at: map[Key]int{}, next: time.Now().Add(pause)}
	f, err := os.Open(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		defer f.Close()
		if l.known, err = s.Read(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i, r := range l.known {
			l.at[r.Key] = i
		}
	}
	if inception != "" {
		l.features, err = OpenFeatures(l.FeaturesPath(), inception)
		return l, err
	}
	return l, nil
}

// pause is the least time between two writings; they also never take more than
// a twentieth of the time.
const pause = 5 * time.Second

// FeaturesPath is where Inception's features lie: values.features.safetensors
// beside values.csv.
func (l *Ledger) FeaturesPath() string {
	return strings.TrimSuffix(l.path, ".csv") + ".features.safetensors"
}

// Features are those of Inception, nil without.
func (l *Ledger) Features() *Features { return l.features }

// Known gives the values of a record that an earlier run measured of the same
// pictures.
func (l *Ledger) Known(r Record) ([]float64, bool) {
	i, ok := l.at[r.Key]
	if !ok || l.known[i].Made != r.Made {
		return nil, false
	}
	return l.known[i].Values, true
}

// Add takes a record and writes all that there are if it is time.
func (l *Ledger) Add(r Record) error {
	l.records = append(l.records, r)
	if time.Now().Before(l.next) {
		return nil
	}
	return l.Write()
}

// Write writes the features, and then the records that rest on them.
func (l *Ledger) Write() error {
	if len(l.records) == 0 {
		return nil
	}
	start := time.Now()
	if l.features != nil {
		if err := l.features.Save(l.FeaturesPath()); err != nil {
			return err
		}
	}
	made := map[Key]bool{}
	for _, r := range l.records {
		made[r.Key] = true
	}
	all := l.records[:len(l.records):len(l.records)]
	for _, r := range l.known {
		if !made[r.Key] {
			all = append(all, r)
		}
	}
	err := picture.WriteFile(l.path, true, func(w io.Writer) error { return l.sheet.Write(w, all) })
	l.next = time.Now().Add(max(pause, 20*time.Since(start)))
	return err
}
