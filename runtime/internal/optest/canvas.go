package optest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// RunCanvas walks a small picture by every sampler in four windows, with and
// without a mask, with a condition, with recorded noise, and with x̂0 held in a
// ring of rows, and compares the device's state with ref's, which holds it all.
func RunCanvas(t *testing.T, d device.Device) {
	nets := map[string]*loaded{}
	for _, name := range []string{"base", "conditional"} {
		nets[name] = load(t, d, name)
		defer nets[name].close()
	}
	for _, ot := range []bool{false, true} {
		sched, err := bridge.NewSchedule(bridge.Config{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1, OTODE: ot})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range bridge.SamplerNames() {
			s, err := bridge.ParseSampler(name)
			if err != nil {
				t.Fatal(err)
			}
			nfe := 3 // with what history it has
			switch s {
			case bridge.Posterior, bridge.ODE, bridge.I3SB, bridge.DBIM1:
				nfe = 2
			case bridge.DBIM3:
				nfe = 5
			}
			w, err := bridge.NewWalk(sched, bridge.WalkOptions{Sampler: s, NFE: nfe})
			if errors.As(err, new(*bridge.UnsuitedError)) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, how := range []string{"plain", "mask", "cond", "mask and cond", "recorded, mask"} {
				name := fmt.Sprintf("%v OT-ODE %v %s", s, ot, how)
				t.Run(name, func(t *testing.T) { compareCanvas(t, nets, w, name, how) })
			}
		}
	}
}

// The picture and its windows.
const side, window = 12, 8

func compareCanvas(t *testing.T, nets map[string]*loaded, w *bridge.Walk, name, how string) {
	spec := device.CanvasSpec{C: 3, H: side, W: side, Label: -1, Table: w, Noise: bridge.NewNoise(7), Clip: how == "plain"}
	net := "base"
	switch how {
	case "mask", "mask and cond", "recorded, mask":
		spec.Mask = make([]uint8, side*side)
		for i := range spec.Mask {
			spec.Mask[i] = []uint8{0, 255, 255, 100}[i/7%4]
		}
	}
	if how == "cond" || how == "mask and cond" {
		net, spec.Cond, spec.Apart = "conditional", true, true
	}
	if how == "recorded, mask" {
		spec.Noise = stripes{}
	}
	reference, ok := walks[name]
	if !ok {
		reference = Walk(t, ref.New(), net, spec)
		walks[name] = reference
	}
	if w.SavesX0 {
		spec.Ring = window
	}
	got, want := nets[net].walk(t, spec), reference
	for i := range want {
		if e := math.Abs(float64(got[i] - want[i])); !(e <= 2e-4) {
			t.Fatalf("element %d is %g, ref has %g", i, got[i], want[i])
		}
	}
	if !spec.Cond {
		return
	}
	spec.Lines = 5 // no divisor of the window
	if again := nets[net].walk(t, spec); !slices.Equal(got, again) {
		t.Fatal("it is not the same when rows of x1 and the condition are made again")
	}
}

// walks keeps ref's results, which are slow, for the next device.
var walks = map[string][]float32{}

// flat is one of the Networks with a single level: walks are not there to test
// networks.
func flat(net string) weights.Network {
	n := Networks()[net]
	n.ChannelMult = "1"
	return n
}

// drawn keeps the weights, which take longer to draw than to use.
var drawn sync.Map

func weightsOf(net string) weights.Source {
	s, ok := drawn.Load(net)
	if !ok {
		s, _ = drawn.LoadOrStore(net, RandomNetwork(flat(net)))
	}
	return s.(weights.Source)
}

// stripes is a noise that no executor knows.
type stripes struct{}

func (stripes) Fill(dst []float32, draw bridge.Draw, step, channel, y, x int) {
	for i := range dst {
		dst[i] = float32((int(draw)+step+channel+y+x+i)%5) - 2
	}
}

// loaded is a network on a device, and its program for the windows.
type loaded struct {
	network device.Network
	program device.Program
}

func load(t *testing.T, d device.Device, net string) *loaded {
	t.Helper()
	p, err := unet.Build(flat(net), 1, window, window)
	if err != nil {
		t.Fatal(err)
	}
	n, err := d.Load(t.Context(), p, weightsOf(net))
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return &loaded{n, r}
}

func (l *loaded) close() {
	l.program.Close()
	l.network.Close()
}

// walk returns every state and x̂0, one after the other.
func (l *loaded) walk(t *testing.T, s device.CanvasSpec) (all []float32) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := l.network.NewCanvas(s)
	check(err)
	defer c.Close()
	of := func(seed uint64) device.Rows {
		pix := normals(s.C*s.H*s.W, seed)
		return func(dst []float32, channel, y, x int) { copy(dst, pix[(channel*s.H+y)*s.W+x:]) }
	}
	x1 := of(3)
	cond := x1
	if s.Apart {
		cond = of(4)
	}
	check(c.Start(x1, cond))
	ws := tile.Grid(s.H, s.W, window, 4, 4)
	for k, st := range s.Table.Steps {
		check(c.Begin())
		from := 0
		for j, w := range ws {
			check(c.Evaluate(t.Context(), l.program, w, st))
			to := tile.Done(ws, j, s.H)
			check(c.Update(st, k, from, to))
			from = to
		}
		for _, get := range []func() (*bridge.Image, error){c.State, c.X0} {
			m, err := get()
			check(err)
			all = append(all, m.Pix...)
		}
	}
	m, err := c.Result(false)
	check(err)
	return append(all, m.Pix...)
}
