package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/bench"
	"github.com/i2sb-go/i2sb/runtime/bench/export"
)

// work is a batch of square crops, exported with the network into a folder.
type work struct {
	dir         string
	batch, side int
}

// examples are pairs of a smooth picture with some noise and its blurred form.
func (w work) examples() (all []runtime.Example) {
	noise := bridge.NewNoise(1)
	for n := range w.batch {
		x0 := bridge.NewImage(3, w.side, w.side)
		x1 := bridge.NewImage(3, w.side, w.side)
		row := make([]float32, w.side)
		for c := range 3 {
			for y := range w.side {
				noise.Fill(row, bridge.DrawStep, 1000+n, c, y, 0)
				for x := range w.side {
					v := 0.6 * math.Sin(0.1*float64((c+1)*x)) * math.Cos(0.07*float64((n+1)*y))
					x0.Plane(c)[y*w.side+x] = float32(v + 0.1*float64(row[x]))
					x1.Plane(c)[y*w.side+x] = float32(v)
				}
			}
		}
		all = append(all, runtime.Example{X0: x0, X1: x1, Index: (n*337 + 100) % 1000, Noise: noise, Draw: n})
	}
	return all
}

// write exports the network and the batch's training pairs.
func (w work) write(ctx context.Context) error {
	if err := os.MkdirAll(w.dir, 0o777); err != nil {
		return err
	}
	p, closer, err := runtime.Default().OpenPack(ctx)
	if err != nil {
		return err
	}
	defer closer.Close()
	defer p.Close()
	if err := export.Write(w.dir, bench.Options{Name: "default", W: w.side, H: w.side, Device: "cpu", Network: p.Header().Network, Weights: p}); err != nil {
		return err
	}
	s, err := bridge.NewSchedule(bridge.Config(p.Header().Bridge))
	if err != nil {
		return err
	}
	var x, label, levels bytes.Buffer
	for _, e := range w.examples() {
		pair, err := s.Sample(e.X0, e.X1, e.Index, e.Noise, e.Draw)
		if err != nil {
			return err
		}
		for b, v := range map[*bytes.Buffer]any{&x: pair.X.Pix, &label: pair.Label.Pix, &levels: pair.Level} {
			if err := binary.Write(b, binary.LittleEndian, v); err != nil {
				return err
			}
		}
	}
	for name, b := range map[string]*bytes.Buffer{"x.f32": &x, "label.f32": &label, "levels.f64": &levels} {
		if err := os.WriteFile(filepath.Join(w.dir, name), b.Bytes(), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// ours is the runner of this program.
func ours(ctx context.Context, args []string) error {
	if len(args) < 4 {
		return errors.New("ours is for bench/train alone")
	}
	var w work
	w.batch, _ = strconv.Atoi(args[1])
	w.side, _ = strconv.Atoi(args[2])
	threads, _ := strconv.Atoi(args[3])
	p, closer, err := runtime.Default().OpenPack(ctx)
	if err != nil {
		return err
	}
	o := runtime.TrainOptions{Shapes: []runtime.TrainShape{{Batch: w.batch, Height: w.side, Width: w.side}}, Rate: func(int) float64 { return 1e-4 }}
	t, err := runtime.NewTrainer(ctx, p.Header(), p, o, runtime.WithDevice("cpu"), runtime.WithThreads(threads))
	if err != nil {
		return err
	}
	defer t.Close()
	p.Close()
	closer.Close()
	batch := w.examples()
	fmt.Println("ready:", t.DeviceInfo().Detail)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		start := time.Now()
		loss, err := t.Add(ctx, batch)
		if err != nil {
			return err
		}
		if err := t.Step(); err != nil {
			return err
		}
		fmt.Println(1e3*time.Since(start).Seconds(), loss)
	}
	return nil
}
