// Race runs evaluations of a network by this program and by others in turn,
// and prints their medians, ratios and peak memory. bench/compare sets the
// others up and starts it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const usage = `bench/compare [--works NET/WxH,…] [--runners NAME,…] [--rounds N] [--threads N]

Works are evaluations: default/256x256, adm256/256x256, or PACKFILE/WxH.
Runners are ours and its kinds ours:avx2, ours:wasm, …, ours:gpu; onnxruntime,
onnxruntime:webgpu, web (onnxruntime-web's WASM), torch, torch:channels_last. The first is what the
others are compared with. Every runner is a process of its own that loads the
network once; outputs must agree to 1e-3 before anything is timed. A turn of a
short work is some evaluations one after the other, the first not counted.
`

func main() {
	if len(os.Args) > 1 && os.Args[1] == "ours" {
		exit(ours(os.Args[2:]))
		return
	}
	works := flag.String("works", "default/256x256,default/64x64,default/512x512,adm256/256x256", "")
	names := flag.String("runners", "ours,onnxruntime,torch", "")
	rounds := flag.Int("rounds", 9, "")
	threads := flag.Int("threads", 2, "")
	dir := flag.String("dir", "bench/.peers", "")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *threads < 1 {
		flag.Usage()
		os.Exit(2)
	}
	for _, w := range strings.Split(*works, ",") {
		exit(race(context.Background(), *dir, w, strings.Split(*names, ","), *rounds, *threads))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/compare:", err)
		os.Exit(1)
	}
}

// pause lets the threads of the runner before go to sleep.
const pause = 50 * time.Millisecond

func race(ctx context.Context, dir, name string, names []string, rounds, threads int) error {
	w, err := prepare(ctx, dir, name)
	if err != nil {
		return err
	}
	var runners []*runner
	for _, n := range names {
		r, err := start(dir, w, n, threads)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, n, err)
		}
		defer r.end()
		runners = append(runners, r)
		if n != names[0] {
			if r.differs, err = differ(runners[0].result, r.result); err != nil {
				return fmt.Errorf("%s: %s: %w", name, n, err)
			}
		}
	}
	for range rounds {
		for _, r := range runners {
			time.Sleep(pause)
			if err := r.turn(); err != nil {
				return fmt.Errorf("%s: %s: %w", name, r.name, err)
			}
		}
	}
	fmt.Printf("\n%s, %d threads, %d rounds\n\n| runner | median ms | least | of %s | peak MiB | max |Δ| |\n|---|---|---|---|---|---|\n", name, threads, rounds, names[0])
	first := median(runners[0].ms)
	for _, r := range runners {
		fmt.Printf("| %s (%s) | %.1f | %.1f | %.2f | %.0f | %.1e |\n", r.name, r.version, median(r.ms), slices.Min(r.ms), median(r.ms)/first, r.peak(), r.differs)
	}
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[len(s)/2] + s[(len(s)-1)/2]) / 2
}
