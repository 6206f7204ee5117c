package weights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Options is what lies beside a checkpoint and tells what it is.
type Options struct {
	Network *Network // nil if the options do not say
	Bridge  Bridge
	Corrupt string   // the reference's task: jpeg-10, mixture, …
	Tasks   []string // families, where the file lists them
	EMA     float64
}

// ReadOptions reads options.json or the official options.pkl (a pickled
// argparse.Namespace, which may hold PosixPath objects).
func ReadOptions(b []byte) (Options, error) {
	if len(b) > 0 && b[0] == 0x80 {
		return readPickledOptions(b)
	}
	o := struct {
		Network *Network `json:"net"`
		Bridge
		Corrupt string   `json:"corrupt"`
		Tasks   []string `json:"tasks"`
		EMA     float64  `json:"ema"`
	}{Bridge: defaultBridge}
	if err := json.Unmarshal(b, &o); err != nil {
		return Options{}, fmt.Errorf("options: not JSON, and no pickle: %w", err)
	}
	return Options{o.Network, o.Bridge, o.Corrupt, o.Tasks, o.EMA}, nil
}

// defaultBridge holds the reference's defaults.
var defaultBridge = Bridge{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1}

func readPickledOptions(b []byte) (Options, error) {
	v, _, err := unpickle(bytes.NewReader(b), int64(len(b)), int64(len(b)), torchGlobal, func(any) (any, error) {
		return nil, fmt.Errorf("options: they refer to a tensor")
	})
	if err != nil {
		return Options{}, err
	}
	n, ok := v.(*object)
	if !ok || n.class != "argparse.Namespace" {
		return Options{}, fmt.Errorf("options: the pickle holds no argparse.Namespace")
	}
	d, ok := n.state.(*dict)
	if !ok {
		return Options{}, fmt.Errorf("options: the namespace is empty")
	}
	o := Options{Bridge: defaultBridge}
	var wrong error
	get := func(name string, into any) {
		v, ok := d.get(name)
		if !ok || v == nil {
			return
		}
		switch p := into.(type) {
		case *int:
			i, ok := v.(int64)
			if *p = int(i); ok {
				return
			}
		case *bool:
			if *p, ok = v.(bool); ok {
				return
			}
		case *string:
			if *p, ok = v.(string); ok {
				return
			}
		case *float64:
			if *p, ok = v.(float64); ok {
				return
			}
			if i, ok := v.(int64); ok {
				*p = float64(i)
				return
			}
		}
		wrong = fmt.Errorf("options: %s is of the wrong type", name)
	}
	get("interval", &o.Bridge.Interval)
	get("beta_max", &o.Bridge.BetaMax)
	get("t0", &o.Bridge.T0)
	get("T", &o.Bridge.T)
	get("ot_ode", &o.Bridge.OTODE)
	get("cond_x1", &o.Bridge.CondX1)
	get("add_x1_noise", &o.Bridge.AddX1Noise)
	get("corrupt", &o.Corrupt)
	get("ema", &o.EMA)
	return o, wrong
}

// ADM256 is the network of every official I²SB checkpoint.
func ADM256(condX1 bool) Network {
	n := Network{ImageSize: 256, NumChannels: 256, NumResBlocks: 2, AttentionResolutions: "32,16,8", NumHeads: 4,
		NumHeadChannels: 64, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true, InChannels: 3}
	if condX1 {
		n.InChannels = 6
	}
	return n
}

// TaskList makes the tasks of a pack from the options: the listed families,
// or the reference's one task; `mixture` alone stays what it is.
func (o Options) TaskList() []Task {
	names := o.Tasks
	if len(names) == 0 && o.Corrupt != "" {
		names = []string{o.Corrupt}
	}
	var tasks []Task
	for _, n := range names {
		tasks = append(tasks, Task{Name: strings.TrimSpace(n)})
	}
	return tasks
}
