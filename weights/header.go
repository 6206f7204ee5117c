package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Network is the configuration of an ADM U-Net, with the names that the
// reference implementation gives its arguments.
type Network struct {
	ImageSize            int    `json:"image_size" toml:"image_size"`                       // only chooses the defaults of ChannelMult and the level of attention
	InChannels           int    `json:"in_channels,omitempty" toml:"in_channels"`           // 0 means 3; 6 when conditioned on x1
	OutChannels          int    `json:"out_channels,omitempty" toml:"out_channels"`         // 0 means 3
	NumChannels          int    `json:"num_channels" toml:"num_channels"`                   // model width
	NumResBlocks         int    `json:"num_res_blocks" toml:"num_res_blocks"`               // per level of the encoder
	ChannelMult          string `json:"channel_mult" toml:"channel_mult"`                   // "1,2,3,4"; empty takes ImageSize's default
	AttentionResolutions string `json:"attention_resolutions" toml:"attention_resolutions"` // "32,16,8": feature sides at ImageSize that have attention
	NumHeads             int    `json:"num_heads" toml:"num_heads"`                         // used when NumHeadChannels is -1; 0 means 1
	NumHeadChannels      int    `json:"num_head_channels" toml:"num_head_channels"`         // -1: NumHeads heads
	NumHeadsUpsample     int    `json:"num_heads_upsample" toml:"num_heads_upsample"`       // -1: as NumHeads
	UseScaleShiftNorm    bool   `json:"use_scale_shift_norm" toml:"use_scale_shift_norm"`
	ResblockUpdown       bool   `json:"resblock_updown" toml:"resblock_updown"`
	UseNewAttentionOrder bool   `json:"use_new_attention_order" toml:"use_new_attention_order"`
	ClassCond            bool   `json:"class_cond" toml:"class_cond"`
	NumClasses           int    `json:"num_classes,omitempty" toml:"num_classes"` // 0 means 1000 when ClassCond
	LearnSigma           bool   `json:"learn_sigma" toml:"learn_sigma"`           // the original ADM file; its variance outputs are cut when packed
}

// Bridge is the configuration of the Schrödinger bridge that a network was
// trained for. Its fields are those of bridge.Config, in the same order.
type Bridge struct {
	Interval     int     `json:"interval" toml:"interval"`                     // N, even
	BetaMax      float64 `json:"beta_max" toml:"beta_max"`                     // 0.3 or 1.0 in the released models
	T0           float64 `json:"t0" toml:"t0"`                                 // 1e-4
	T            float64 `json:"T" toml:"T"`                                   // 1
	OTODE        bool    `json:"ot_ode" toml:"ot_ode"`                         // deterministic bridge
	CondX1       bool    `json:"cond_x1" toml:"cond_x1"`                       // network input is concat(x_n, x1)
	AddX1Noise   bool    `json:"add_x1_noise" toml:"add_x1_noise"`             // x1 gets N(0,1) after the condition was taken
	RescaleStart bool    `json:"rescale_start,omitempty" toml:"rescale_start"` // β starts at 0.1/N instead of 1e-4
	Fill         string  `json:"fill,omitempty" toml:"fill"`                   // what holes of x1 hold: noise if empty, or harmonic
}

// Task is something that a pack was trained to undo, with the way of walking
// that suits it best.
type Task struct {
	Name        string   `json:"name"`                  // a family (jpeg, sr4x, deblur, inpaint) or a full name (jpeg-10)
	Trained     []string `json:"trained,omitempty"`     // the degradations seen in training
	Description string   `json:"description,omitempty"` // for people
	Sampler     string   `json:"sampler,omitempty"`     // default; empty: posterior, or ode for OT-ODE bridges
	Steps       int      `json:"steps,omitempty"`       // default network evaluations; 0: 1
	Clip        bool     `json:"clip,omitempty"`        // clip x̂0 to [-1, 1]
	LastX0      bool     `json:"last_x0,omitempty"`     // the result is the last x̂0, not the state at index 0
}

// Header is what a pack says about itself.
type Header struct {
	Name         string             `json:"name,omitempty"`
	Network      Network            `json:"network"`
	Bridge       Bridge             `json:"bridge"`
	Tasks        []Task             `json:"tasks,omitempty"`
	Provenance   string             `json:"provenance,omitempty"` // data, recipe, duration
	Licence      string             `json:"licence,omitempty"`    // SPDX, of the weights
	Credits      string             `json:"credits,omitempty"`
	Metrics      map[string]float64 `json:"metrics,omitempty"`
	SourceSHA256 string             `json:"source_sha256,omitempty"` // of the checkpoint that was packed
	Encoding     string             `json:"encoding"`                // of the tensors with two dimensions or more
	Tensors      []Entry            `json:"tensors"`
}

// ID names a pack by its content, after its name if it has one: the header
// holds the checksums of all tensors.
func (h Header) ID() string {
	sum := sha256.New()
	_ = json.NewEncoder(sum).Encode(h) // a decoded header encodes
	id := hex.EncodeToString(sum.Sum(nil)[:8])
	if h.Name != "" {
		id = h.Name + "@" + id
	}
	return id
}

// Entry is a tensor of a pack.
type Entry struct {
	Name   string  `json:"name"`
	Shape  []int   `json:"shape"`
	DType  string  `json:"dtype"`
	Planes bool    `json:"planes,omitempty"` // each chunk holds byte 0 of every element, then byte 1, …
	Scales *Chunk  `json:"scales,omitempty"` // int8: one f32 for each index of the first dimension
	Chunks []Chunk `json:"chunks"`
}

// Chunk is one zstd frame. Offset counts from the first byte after the header.
type Chunk struct {
	Offset int64  `json:"o"`
	Size   int    `json:"n"` // compressed
	Raw    int    `json:"r"`
	CRC    uint32 `json:"c"` // CRC-32C of the compressed bytes
}
