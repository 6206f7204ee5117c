package eval

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/metric"
)

// bench is a small run whose restorations are counted.
type bench struct {
	Run
	restored []string
	looks    int // of Inception
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	ramp(t, filepath.Join(dir, "a.png"), 10)
	ramp(t, filepath.Join(dir, "b.png"), 7)
	psnr, err := metric.Parse("psnr")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{}
	counted := func(m Method) Method {
		restore := m.Restore
		m.Restore = func(ctx context.Context, s Sample) (*bridge.Image, error) {
			b.restored = append(b.restored, s.File+" "+m.Name)
			return restore(ctx, s)
		}
		return m
	}
	folder := filepath.Join(t.TempDir(), "other")
	for _, name := range []string{"a.png", "b.png"} {
		ramp(t, filepath.Join(folder, name), 9)
	}
	crops := []Crop{{"a.png", 4, 4, 16, 16, "main"}, {"b.png", 0, 0, 16, 16, "main"}}
	other, err := Folder(folder, Names(crops), []string{"jpeg-5"})
	if err != nil {
		t.Fatal(err)
	}
	b.Run = Run{Photos: dir, Crops: crops, Tasks: []string{"jpeg-5"}, Metrics: []metric.Metric{psnr}, Methods: []Method{counted(Degraded()), counted(other)}}
	b.Nets.ResNet = &Net{ID: "r", Look: func(x *bridge.Image) ([]float32, error) { return []float32{x.Pix[0], x.Pix[9], -x.Pix[5]}, nil }}
	b.Nets.Inception = &Net{ID: "i", Look: func(x *bridge.Image) ([]float32, error) { b.looks++; return []float32{x.Pix[0], x.Pix[100], 1}, nil }}
	return b
}

func ramp(t *testing.T, path string, slope int) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 24, 24))
	for i := range m.Pix {
		m.SetGray(i%24, i/24, color.Gray{Y: uint8(slope * (i % 24))})
	}
	writePNG(t, path, m)
}

// measure runs with a ledger, and tells what was restored for it.
func (b *bench) measure(t *testing.T, path string, s Sheet) (records []Record, fid float64, restored []string) {
	t.Helper()
	s.Measures, s.ResNet = b.Measures(), b.Nets.ResNet.ID
	l, err := OpenLedger(path, s, b.Nets.Inception.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.restored, b.looks = nil, 0
	b.Features, b.Known, b.Each = l.Features(), l.Known, func(r Record, _ *Pictures) error { return l.Add(r) }
	if records, err = b.Measure(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(); err != nil {
		t.Fatal(err)
	}
	rows, err := b.Table(records)
	if err != nil {
		t.Fatal(err)
	}
	return records, *rows[0].FID, b.restored
}

// TestResume: what a ledger has is not measured again, features included.
func TestResume(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), "values.csv")
	all := b.Crops
	b.Crops, b.Methods = all[:1], []Method{Degraded()}
	l, err := OpenLedger(path, Sheet{Measures: b.Measures(), ResNet: "r", Seed: 7, Pack: "p"}, "i")
	if err != nil {
		t.Fatal(err)
	}
	b.Features = l.Features()
	records, err := b.Measure(context.Background())
	if err := errors.Join(err, l.Add(records[0]), l.Write()); err != nil { // cut off after one
		t.Fatal(err)
	}
	b.Crops = all
	s := Sheet{Seed: 7, Pack: "p"}
	first, fid, _ := b.measure(t, path, s)
	if b.looks != 2 || fmt.Sprint(first[0]) != fmt.Sprint(records[0]) { // the second crop, and what became of it
		t.Errorf("%d pictures were looked at; %v, and before %v", b.looks, first[0], records[0])
	}
	again, second, _ := b.measure(t, path, s)
	if b.looks != 0 || second != fid || fid == 0 || fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("%d pictures were looked at again; FID %g and %g", b.looks, fid, second)
	}
	whole := *b
	whole.Known, whole.Features = nil, nil
	if records, err = whole.Measure(context.Background()); err != nil {
		t.Fatal(err)
	}
	if rows, err := whole.Table(records); err != nil || *rows[0].FID != fid {
		t.Errorf("at once: %v, resumed %g", err, fid)
	}
}

// TestResumeOfOthers: pictures that changed under their names are measured
// again, and lines of other runs stay.
func TestResumeOfOthers(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), "values.csv")
	b.measure(t, path, Sheet{})
	if _, _, restored := b.measure(t, path, Sheet{}); len(restored) > 0 {
		t.Errorf("%q again", restored)
	}
	ramp(t, filepath.Join(b.Photos, "b.png"), 8)
	if _, _, restored := b.measure(t, path, Sheet{}); !slices.Equal(restored, []string{"b.png degraded", "b.png other"}) {
		t.Errorf("another photograph: %q", restored)
	}
	folder := t.TempDir()
	ramp(t, filepath.Join(folder, "other", "a.png"), 3)
	ramp(t, filepath.Join(folder, "other", "b.png"), 9)
	other, err := Folder(filepath.Join(folder, "other"), Names(b.Crops), []string{"jpeg-5"})
	if err != nil {
		t.Fatal(err)
	}
	was := b.Methods[1]
	b.Methods[1].Restore, b.Methods[1].From = other.Restore, other.From
	before, _ := os.ReadFile(path)
	b.measure(t, path, Sheet{})
	after, _ := os.ReadFile(path)
	if changed := differing(string(before), string(after)); len(changed) != 1 || !strings.Contains(changed[0], "other,,0,a.png") {
		t.Errorf("another program's other picture: %q", changed)
	}
	b.Methods[1] = was
	b.measure(t, path, Sheet{})
	b.Crops, b.Methods, b.Nets.Inception = b.Crops[1:], b.Methods[:1], nil
	l, err := OpenLedger(path, Sheet{Measures: b.Measures(), ResNet: "r"}, "")
	if err != nil {
		t.Fatal(err)
	}
	b.Known, b.Each = l.Known, func(r Record, _ *Pictures) error { return l.Add(r) }
	before, _ = os.ReadFile(path)
	if _, err := b.Measure(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(); err != nil {
		t.Fatal(err)
	}
	after, _ = os.ReadFile(path)
	if changed := differing(string(before), string(after)); len(changed) > 0 || len(before) != len(after) {
		t.Errorf("lines of crops and methods that this run has not: %q", changed)
	}
}

// differing are the lines of b that a has not.
func differing(a, b string) []string {
	has := strings.Split(a, "\n")
	return slices.DeleteFunc(strings.Split(b, "\n"), func(l string) bool { return slices.Contains(has, l) })
}

// TestLabelsAreKeyed: another true class is another value.
func TestLabelsAreKeyed(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), "values.csv")
	b.Nets.Labels = map[string]int{"a.png": 0, "b.png": 1}
	b.measure(t, path, Sheet{})
	b.Nets.Labels = map[string]int{"a.png": 0, "b.png": 2}
	if _, _, restored := b.measure(t, path, Sheet{}); len(restored) != 2 {
		t.Errorf("%q", restored)
	}
}

// TestMixedLedgers: nothing of another seed, pack, device, border, rounding or
// network is taken for this run's.
func TestMixedLedgers(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), "values.csv")
	b.measure(t, path, Sheet{Seed: 7, Pack: "p"})
	same := Sheet{Measures: b.Measures(), Seed: 7, Pack: "p", ResNet: "r"}
	for want, change := range map[string]func(*Sheet){
		`line 2 has the seed "7", this run "8"`: func(s *Sheet) { s.Seed = 8 },
		"the pack":                              func(s *Sheet) { s.Pack = "q" },
		"the device":                            func(s *Sheet) { s.Device = "cpu" },
		"the border":                            func(s *Sheet) { s.Border = 1 },
		"the official":                          func(s *Sheet) { s.Official = true },
		"the resnet":                            func(s *Sheet) { s.ResNet = "s" },
		"other measures":                        func(s *Sheet) { s.Measures = s.Measures[1:] },
		"another network":                       nil,
	} {
		s, inception := same, "i"
		if change == nil {
			inception = "j"
		} else {
			change(&s)
		}
		if _, err := OpenLedger(path, s, inception); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", want, err)
		}
	}
	l, err := OpenLedger(path, same, "i")
	if err != nil {
		t.Fatal(err)
	}
	features, err := os.ReadFile(l.FeaturesPath())
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 9, len(features) - 1} {
		if err := os.WriteFile(l.FeaturesPath(), features[:cut], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLedger(path, same, "i"); err == nil || !strings.HasPrefix(err.Error(), l.FeaturesPath()) {
			t.Errorf("%d bytes of features: %v", cut, err)
		}
	}
	// Without features every crop is looked at again.
	if err := os.Remove(l.FeaturesPath()); err != nil {
		t.Fatal(err)
	}
	if b.measure(t, path, Sheet{Seed: 7, Pack: "p"}); b.looks != 6 || len(b.restored) != 4 {
		t.Errorf("%d looks, %q", b.looks, b.restored)
	}
}
