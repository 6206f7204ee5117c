// Scale simulates a fleet on a queue: what a number of pictures takes on a
// number of nodes, when nodes fail and the queue can only carry so much. The
// same seed gives the same numbers; docs/scale.md has them and what was put in.
//
//	go run ./bench/scale
//	go run ./bench/scale --pictures 1000000 --nodes 100 --seconds 0.3 --queue 900
package main

import (
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
)

func main() {
	one := fleet{}
	flag.Float64Var(&one.pictures, "pictures", 0, "pictures; 0: the table of docs/scale.md")
	flag.IntVar(&one.nodes, "nodes", 10, "nodes, each with one worker")
	flag.Float64Var(&one.seconds, "seconds", 0.3, "of a node for the mean picture, decoding and encoding included")
	flag.Float64Var(&one.spread, "spread", 0.5, "standard deviation of the logarithm of that")
	flag.Float64Var(&one.queue, "queue", 500, "jobs a second that the queue carries")
	flag.Float64Var(&one.mtbf, "mtbf", 72, "hours between failures of a node")
	flag.Float64Var(&one.restart, "restart", 120, "seconds until a failed node works again")
	flag.Float64Var(&one.wait, "wait", 30, "seconds until a lost job is given out again")
	flag.Uint64Var(&one.seed, "seed", 1, "")
	flag.Parse()
	var all []fleet
	if one.pictures > 0 {
		all = []fleet{one}
	} else {
		for _, pictures := range []float64{1e6, 1e9} {
			for _, nodes := range []int{1, 10, 100, 1000, 10000} {
				f := one
				f.pictures, f.nodes = pictures, nodes
				all = append(all, f)
			}
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "pictures\tnodes\thours\tpictures/s\tnodes busy\tdone again\tfailures of nodes\t")
	for _, f := range all {
		r := f.run()
		fmt.Fprintf(w, "%.0e\t%d\t%.2f\t%.1f\t%.1f %%\t%.0f\t%.0f\t\n", f.pictures, f.nodes, r.hours, f.pictures/r.hours/3600, 100*r.busy, r.again, r.failures)
	}
	w.Flush()
}
