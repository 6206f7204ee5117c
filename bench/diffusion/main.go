// Diffusion trains bridges and a conditional diffusion on one degradation, with
// the same crops, for as many steps, and measures both at any number of sampling
// steps: the paper's claim that it is better to start from the degraded picture
// than from noise.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
)

const usage = `go run ./bench/diffusion --photos DIR --crops LIST.tsv [--task NAME] [--preset NAME] [--train STEPS] [--steps LIST] -o DIR

Three networks of one size are trained from scratch, a step each in turn, on the
same crops of the photographs that LIST does not name: the stochastic bridge, the
OT-ODE bridge, and a diffusion that starts from noise and reads the degraded
picture as a condition. The crops of LIST's set "main" are then restored with
each number of steps. DIR gets a table (results.csv) and plots.
`

func main() {
	var o options
	flag.StringVar(&o.photos, "photos", "", "")
	flag.StringVar(&o.crops, "crops", "", "")
	flag.StringVar(&o.task, "task", "sr4x-bicubic", "")
	flag.StringVar(&o.preset, "preset", "tiny", "")
	flag.IntVar(&o.train, "train", 2500, "")
	steps := flag.String("steps", "1,2,3,5,10,20", "")
	flag.StringVar(&o.out, "o", "", "")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	for _, s := range strings.Split(*steps, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			exit(fmt.Errorf("--steps: %q is no number of steps", s))
		}
		o.nfe = append(o.nfe, n)
	}
	if flag.NArg() > 0 || o.photos == "" || o.crops == "" || o.out == "" || o.train < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/diffusion:", err)
		os.Exit(1)
	}
}
