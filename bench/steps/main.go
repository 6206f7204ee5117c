// Steps makes training steps by this program and by PyTorch in turn, and prints
// their medians, ratios and peak memory. bench/train starts it.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const usage = `bench/train [--works BATCHxSIDE,…] [--runners NAME,…] [--rounds N] [--threads N]

Works are batches of square crops: 16x64, 4x128. The network is the default
pack's. Runners are ours and its kinds ours:avx2, ours:wasm, …; torch and
torch:channels_last. A step is the loss, all gradients, AdamW and the moving
average; ours makes its training pairs besides. All start from the same weights
and see the same batch, and their losses must agree to 1e-3 at every step.
`

func main() {
	if len(os.Args) > 1 && os.Args[1] == "ours" {
		exit(ours(context.Background(), os.Args[2:]))
		return
	}
	works := flag.String("works", "16x64,4x128", "")
	names := flag.String("runners", "ours,torch,torch:channels_last", "")
	rounds := flag.Int("rounds", 5, "")
	threads := flag.Int("threads", 2, "")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *threads < 1 {
		flag.Usage()
		os.Exit(2)
	}
	for _, w := range strings.Split(*works, ",") {
		exit(race(context.Background(), w, strings.Split(*names, ","), *rounds, *threads))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/train:", err)
		os.Exit(1)
	}
}

// perTurn is the steps of a turn that count; one before them, which wakes
// threads and caches, does not.
const perTurn = 2

// tolerance is how far losses may lie apart, as a part of them.
const tolerance = 1e-3

func race(ctx context.Context, name string, names []string, rounds, threads int) error {
	w := work{dir: filepath.Join("bench", ".peers", "train-"+name)}
	if n, err := fmt.Sscanf(name+"\n", "%dx%d\n", &w.batch, &w.side); n != 2 || err != nil {
		return fmt.Errorf("work %q: write it as 16x64", name)
	}
	if err := w.write(ctx); err != nil {
		return err
	}
	var runners []*runner
	for _, n := range names {
		r, err := start(w, n, threads)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, n, err)
		}
		defer r.end()
		runners = append(runners, r)
	}
	for range rounds {
		for _, r := range runners {
			time.Sleep(50 * time.Millisecond) // the threads of the runner before go to sleep
			for i := range 1 + perTurn {
				if err := r.step(i > 0); err != nil {
					return fmt.Errorf("%s: %s: %w", name, r.name, err)
				}
			}
		}
	}
	fmt.Printf("\n%s, %d threads, %d steps\n\n| runner | images/s | median ms | least | of %s | peak MiB | loss |\n|---|---|---|---|---|---|---|\n", name, threads, rounds*perTurn, names[0])
	first := median(runners[0].ms)
	for _, r := range runners {
		for i, loss := range r.losses {
			if want := runners[0].losses[i]; !(math.Abs(loss-want) <= tolerance*want) {
				return fmt.Errorf("%s: %s: the loss of step %d is %g, that of %s %g: not the same work", name, r.name, i+1, loss, names[0], want)
			}
		}
		ms := median(r.ms)
		fmt.Printf("| %s (%s) | %.1f | %.1f | %.1f | %.2f | %.0f | %.5f |\n", r.name, r.version, 1e3*float64(w.batch)/ms, ms, slices.Min(r.ms), ms/first, r.peak(), r.losses[len(r.losses)-1])
	}
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[len(s)/2] + s[(len(s)-1)/2]) / 2
}
