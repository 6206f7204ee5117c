package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/bench"
	"github.com/i2sb-go/i2sb/runtime/bench/export"
	"github.com/i2sb-go/i2sb/weights"
)

// work is one network at one size, exported into a folder.
type work struct {
	net  string
	w, h int
	dir  string
}

// prepare exports the network. ADM-256, which is always the same, is kept.
func prepare(ctx context.Context, dir, name string) (*work, error) {
	i := strings.LastIndexByte(name, '/')
	w := &work{net: name[:max(i, 0)]}
	if n, err := fmt.Sscanf(name[i+1:]+"\n", "%dx%d\n", &w.w, &w.h); n != 2 || err != nil || w.net == "" {
		return nil, fmt.Errorf("work %q: write it as default/256x256", name)
	}
	w.dir = filepath.Join(dir, filepath.Base(w.net)+"-"+name[i+1:])
	marker := filepath.Join(w.dir, "complete")
	if _, err := os.Stat(marker); err == nil && w.net == "adm256" {
		return w, nil
	}
	if err := os.MkdirAll(w.dir, 0o777); err != nil {
		return nil, err
	}
	o, done, err := options(ctx, w)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := export.Write(w.dir, o); err != nil {
		return nil, err
	}
	return w, os.WriteFile(marker, nil, 0o666)
}

// options opens the network; done closes it.
func options(ctx context.Context, w *work) (o bench.Options, done func(), err error) {
	o = bench.Options{Name: w.net, W: w.w, H: w.h, Device: "cpu"}
	if w.net == "adm256" {
		o.Network = weights.ADM256(false)
		return o, func() {}, nil
	}
	src := runtime.Default()
	if w.net != "default" {
		src = runtime.File(w.net)
	}
	p, closer, err := src.OpenPack(ctx)
	if err != nil {
		return o, nil, err
	}
	o.Network, o.Weights = p.Header().Network, p
	return o, func() { p.Close(); closer.Close() }, nil
}

// ours is the runner of this program: its arguments are the network, then
// those of the others, then the device if it is not the CPU.
func ours(args []string) error {
	if len(args) < 6 {
		return errors.New("ours is for bench/compare alone")
	}
	ctx := context.Background()
	w := &work{net: args[0]}
	w.w, _ = strconv.Atoi(args[3])
	w.h, _ = strconv.Atoi(args[4])
	o, done, err := options(ctx, w)
	if err != nil {
		return err
	}
	o.Threads, _ = strconv.Atoi(args[5])
	if len(args) > 6 {
		o.Device = args[6]
	}
	s, err := bench.Open(ctx, o)
	done()
	if err != nil {
		return err
	}
	defer s.Close()
	y, err := s.Evaluate(ctx)
	if err != nil {
		return err
	}
	var b []byte
	for _, v := range y {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	if err := os.WriteFile(args[2], b, 0o666); err != nil {
		return err
	}
	fmt.Println("ready:", s.Device())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		start := time.Now()
		if _, err := s.Evaluate(ctx); err != nil {
			return err
		}
		fmt.Println(1e3 * time.Since(start).Seconds())
	}
	return nil
}
