package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/weights"
)

// worker holds what the page's worker works on.
type worker struct {
	model  *runtime.Model
	cancel func() // of the call that runs
}

// info is ModelInfo of wasm/npm/i2sb.d.ts, without what the worker knows
// better.
type info struct {
	Name       string             `json:"name"`
	Parameters int                `json:"parameters"`
	Encoding   string             `json:"encoding"`
	Licence    string             `json:"licence"`
	Credits    string             `json:"credits"`
	Provenance string             `json:"provenance"`
	Metrics    map[string]float64 `json:"metrics"`
	Tasks      []task             `json:"tasks"`
	Samplers   []string           `json:"samplers"`
	MaxSteps   int                `json:"maxSteps"`
	Device     device             `json:"device"`
}

type task struct {
	Name        string   `json:"name"`
	Family      string   `json:"family"`
	Description string   `json:"description"`
	Trained     []string `json:"trained"`
	Sampler     string   `json:"sampler"`
	Steps       int      `json:"steps"`
	Scale       int      `json:"scale"`
	Mask        bool     `json:"mask"`
}

type device struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Detail   string `json:"detail"`
	Software bool   `json:"software"`
	Threads  int    `json:"threads"`
}

// load(source, name, device, done): opens the pack on "cpu" or "gpu", in place
// of the model before; the result is info as JSON.
func (w *worker) load(args []js.Value) (_ any, err error) {
	defer recovered(&err)
	ctx, end := w.begin()
	defer end()
	if w.model != nil {
		w.model.Close() // its device was lost
		w.model = nil
	}
	src := &source{Value: args[0], size: int64(args[0].Get("size").Float())}
	p, _, err := runtime.Reader(args[1].String(), src, src.size).OpenPack(ctx)
	if err != nil {
		return nil, &coded{codePack, err}
	}
	defer p.Close()
	m, err := runtime.OpenWeights(ctx, p.Header(), p, runtime.WithDevice(args[2].String()))
	if err != nil {
		return nil, &coded{codePack, fmt.Errorf("%s: %w", args[1].String(), err)}
	}
	w.model = m
	b, err := json.Marshal(describe(m))
	return string(b), err
}

func describe(m *runtime.Model) info {
	h := m.Header()
	i := info{Name: h.Name, Encoding: h.Encoding, Licence: h.Licence, Credits: h.Credits, Provenance: h.Provenance,
		Metrics: h.Metrics, MaxSteps: h.Bridge.Interval - 1, Samplers: []string{}, Tasks: []task{}}
	for _, t := range h.Tensors {
		i.Parameters += weights.Info{Shape: t.Shape}.Len()
	}
	for _, s := range bridge.SamplerNames() {
		var option *runtime.OptionError
		if _, err := runtime.Resolve(h, runtime.WithSampler(s)); !errors.As(err, &option) || option.Option != "sampler" {
			i.Samplers = append(i.Samplers, s)
		}
	}
	def, err := runtime.Resolve(h)
	for _, t := range h.Tasks {
		k := task{Name: t.Name, Family: runtime.Family(t.Name), Description: t.Description, Trained: t.Trained, Scale: 1}
		if k.Trained == nil {
			k.Trained = []string{}
		}
		if k.Family == "sr4x" {
			k.Scale = 4
		}
		k.Mask = k.Family == "inpaint" && t.Name != "inpaint-center"
		if s, err := runtime.Resolve(h, runtime.WithTask(t.Name)); err == nil {
			k.Sampler, k.Steps = s.Sampler, s.Steps
		}
		if err == nil && def.Task == t.Name { // the default comes first
			i.Tasks = append([]task{k}, i.Tasks...)
		} else {
			i.Tasks = append(i.Tasks, k)
		}
	}
	d := m.DeviceInfo()
	i.Device = device{Kind: "wasm", Name: d.Name, Detail: d.Detail, Software: d.Software, Threads: d.Threads}
	if d.Name != "cpu" {
		i.Device.Kind = "webgpu"
	}
	return i
}
