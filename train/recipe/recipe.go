// Package recipe says how a network is trained: everything that the result
// follows from, but for the pictures themselves. A recipe is a TOML file, and is
// written into every checkpoint.
package recipe

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/weights"
)

// Recipe is a whole training. Default has what is in brackets.
type Recipe struct {
	Name    string  `toml:"name"`    // of the pack that comes of it [train]
	Seed    uint64  `toml:"seed"`    // of everything that is drawn [1]
	Steps   int     `toml:"steps"`   // of the optimiser [20000]
	Hours   float64 `toml:"hours"`   // training also ends after so many; 0: no limit [0]
	Init    string  `toml:"init"`    // pack or checkpoint to start from; "": random weights, "default": the built-in pack
	Preset  string  `toml:"preset"`  // tiny, small, base or adm256: the network's size; network says what differs [small, or that of init]
	Licence string  `toml:"licence"` // SPDX, of the weights
	Credits string  `toml:"credits"`

	Network      weights.Network    `toml:"network"`
	Bridge       weights.Bridge     `toml:"bridge"`
	Data         Data               `toml:"data"`
	Degradations []data.Degradation `toml:"degradation"` // of photographs [Blind]
	Crops        []Crop             `toml:"crop"`        // [Crops64And128]
	Times        Times              `toml:"times"`
	Loss         Loss               `toml:"loss"`
	Optimizer    Optimizer          `toml:"optimizer"`
	Validation   Validation         `toml:"validation"`
	Keep         Keep               `toml:"keep"`
}

// Data is what is trained on: photographs, or pairs.
type Data struct {
	Photos  string   `toml:"photos"`   // a folder of photographs, degraded as they are drawn
	Pairs   string   `toml:"pairs"`    // a folder with folders clean and degraded
	Exclude []string `toml:"exclude"`  // patterns of file names to leave out
	Area    float64  `toml:"area"`     // pictures are drawn in proportion to their area to this power [0.5]
	Flip    bool     `toml:"flip"`     // half of the crops are mirrored [true]
	CacheMB int      `toml:"cache_mb"` // of decoded pictures [1024]
}

// Crop is a size of square crops.
type Crop struct {
	Size  int     `toml:"size"`
	Batch int     `toml:"batch"` // crops evaluated at once
	Share float64 `toml:"share"` // of the batches, against the other sizes
}

// Times says at which indices of the bridge a network is asked.
type Times struct {
	Start float64 `toml:"start"` // share of the draws that is x1 itself, where every walk begins [0]
	Near  float64 `toml:"near"`  // share of the other draws that falls near the degraded end [0.45]
	From  float64 `toml:"from"`  // where that begins, as a share of all indices [0.97]
}

// Loss says what a step lowers.
type Loss struct {
	Sigma float64 `toml:"sigma"` // power of σ_n/σ_max that weighs an example; 0: the paper's plain loss [1]
	// Charbonnier is ε of √(d²+ε²)−ε, which takes the place of d²: what is off by
	// more counts for its size, not its square, and a step is less at the mercy of
	// a few pixels. In units of the label, |x1−x0|/σ_max where walks begin. 0: the
	// paper's squares [0].
	Charbonnier float64 `toml:"charbonnier"`
	Mask        string  `toml:"mask"` // holes: official (mean over the picture), area (over the hole) or none (all pixels count) [official]
}

// Optimizer moves the weights.
type Optimizer struct {
	// Method is adamw, or muon: matrices of layers move along their momentum with
	// all singular values brought near 1, the rest by AdamW [adamw].
	Method     string  `toml:"method"`
	Rate       float64 `toml:"rate"`       // of learning [2e-4]
	Schedule   string  `toml:"schedule"`   // cosine or step [cosine]
	Last       float64 `toml:"last"`       // cosine: the rate at the end [0]
	Warm       int     `toml:"warm"`       // cosine: steps of linear rise [100]
	Hold       float64 `toml:"hold"`       // cosine: share of the steps before it falls [0]
	Factor     float64 `toml:"factor"`     // step: what the rate is multiplied by [0.99]
	Every      int     `toml:"every"`      // step: after so many steps [1000]
	Decay      float64 `toml:"decay"`      // of weights, decoupled [0]
	Clip       float64 `toml:"clip"`       // greatest norm of the gradient, 0: none [1]
	Average    float64 `toml:"average"`    // decay of the moving average [0.999]
	Accumulate int     `toml:"accumulate"` // batches of a step [1]
	// Only has patterns of the names of layers, such as time_embed.*: the others
	// keep their weights, exactly. Empty: all learn [empty].
	Only     []string `toml:"only"`
	MemoryMB int      `toml:"memory_mb"` // activations are made again to keep to it; 0: no limit [0]
}

// Validation measures what is never trained on.
type Validation struct {
	List  string   `toml:"list"`  // TSV of crops: file, x, y, width, height, set; their pictures are held back
	Set   string   `toml:"set"`   // the set of the list that is measured; "": all [main]
	Split float64  `toml:"split"` // without a list: share of the pictures that is held back [0.05]
	Side  int      `toml:"side"`  // and the side of their middle that is measured [256]
	Tasks []string `toml:"tasks"` // degradations [the middle of each range]
	NFE   []int    `toml:"nfe"`   // steps of the sampler [1]
	Every int      `toml:"every"` // steps of training; 0: never [500]
	Grid  int      `toml:"grid"`  // rows of each picture grid; 0: none [4]
}

// Keep says what is written, and when.
type Keep struct {
	Every   int `toml:"every"`   // steps from checkpoint to checkpoint [500]
	Minutes int `toml:"minutes"` // and at the latest after so many; 0: no limit [10]
	Last    int `toml:"last"`    // numbered checkpoints that are kept, beside last and best [2]
	Log     int `toml:"log"`     // steps from line to line of train.csv [20]
}

// Default is a recipe for blind restoration of photographs. Its figures: the
// plain loss spends a network on the smallest noise levels; weighing by σ,
// asking near the end where one step starts, and two sizes of crops each gain.
func Default() Recipe {
	return Recipe{
		Name: "train", Seed: 1, Steps: 20000,
		Bridge:       weights.Bridge{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1},
		Data:         Data{Area: 0.5, Flip: true, CacheMB: 1024},
		Degradations: Blind(), Crops: Crops64And128(),
		Times:      Times{Near: 0.45, From: 0.97},
		Loss:       Loss{Sigma: 1, Mask: MaskOfficial},
		Optimizer:  Optimizer{Method: AdamW, Rate: 2e-4, Schedule: Cosine, Warm: 100, Factor: 0.99, Every: 1000, Clip: 1, Average: 0.999, Accumulate: 1},
		Validation: Validation{Set: "main", Split: 0.05, Side: 256, NFE: []int{1}, Every: 500, Grid: 4},
		Keep:       Keep{Every: 500, Minutes: 10, Last: 2, Log: 20},
	}
}

// The optimizers, the schedules of the rate, and what becomes of holes in the loss.
const (
	AdamW        = "adamw"
	Muon         = "muon"
	Cosine       = "cosine"
	Step         = "step"
	MaskOfficial = "official"
	MaskArea     = "area"
	MaskNone     = "none"
)

// Blind is what photographs suffer most: JPEG of both kinds, enlargement, blur.
func Blind() []data.Degradation {
	return []data.Degradation{{Name: "jpeg-5..40", Weight: 1}, {Name: "jpeg-file-5..40", Weight: 1}, {Name: "sr4x-pool", Weight: 1}, {Name: "sr4x-bicubic", Weight: 1},
		{Name: "blur-gauss-0.8..3", Weight: 2}}
}

// Crops64And128 are sixteen crops of 64×64, and for a third of the batches four
// of 128×128.
func Crops64And128() []Crop { return []Crop{{64, 16, 0.65}, {128, 4, 0.35}} }

// Measured are the degradations that a validation measures: its tasks, or the
// middle of every range that is trained; "" alone for pairs.
func (r *Recipe) Measured() []string {
	if r.Data.Pairs != "" {
		return []string{""}
	}
	if len(r.Validation.Tasks) > 0 {
		return r.Validation.Tasks
	}
	var names []string
	for _, d := range r.Degradations {
		if name := data.Middle(d.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Learns tells whether a layer does, by its name.
func (o Optimizer) Learns(layer string) bool {
	return len(o.Only) == 0 || slices.ContainsFunc(o.Only, func(p string) bool {
		ok, _ := path.Match(p, layer)
		return ok
	})
}

// ParseCrop reads SIZExBATCH or SIZExBATCH:SHARE.
func ParseCrop(s string) (Crop, error) {
	c := Crop{Share: 1}
	text, share, ok := strings.Cut(s, ":")
	size, batch, both := strings.Cut(text, "x")
	var e1, e2, e3 error
	c.Size, e1 = strconv.Atoi(size)
	c.Batch, e2 = strconv.Atoi(batch)
	if ok {
		c.Share, e3 = strconv.ParseFloat(share, 64)
	}
	if !both || e1 != nil || e2 != nil || e3 != nil {
		return c, fmt.Errorf("%q is no crop like 64x16 or 128x4:0.35", s)
	}
	return c, nil
}

// String is what ParseCrop reads.
func (c Crop) String() string { return fmt.Sprintf("%dx%d:%g", c.Size, c.Batch, c.Share) }
