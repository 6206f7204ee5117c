package weights

// Network is the configuration of an ADM U-Net, with the names that the
// reference implementation gives its arguments.
type Network struct {
	ImageSize            int    `json:"image_size"`             // only chooses the defaults of ChannelMult and the level of attention
	InChannels           int    `json:"in_channels,omitempty"`  // 0 means 3; 6 when conditioned on x1
	OutChannels          int    `json:"out_channels,omitempty"` // 0 means 3
	NumChannels          int    `json:"num_channels"`           // model width
	NumResBlocks         int    `json:"num_res_blocks"`         // per level of the encoder
	ChannelMult          string `json:"channel_mult"`           // "1,2,3,4"; empty takes ImageSize's default
	AttentionResolutions string `json:"attention_resolutions"`  // "32,16,8": feature sides at ImageSize that have attention
	NumHeads             int    `json:"num_heads"`              // used when NumHeadChannels is -1
	NumHeadChannels      int    `json:"num_head_channels"`      // -1: NumHeads heads
	NumHeadsUpsample     int    `json:"num_heads_upsample"`     // -1: as NumHeads
	UseScaleShiftNorm    bool   `json:"use_scale_shift_norm"`
	ResblockUpdown       bool   `json:"resblock_updown"`
	UseNewAttentionOrder bool   `json:"use_new_attention_order"`
	ClassCond            bool   `json:"class_cond"`
	NumClasses           int    `json:"num_classes,omitempty"` // 0 means 1000 when ClassCond
	LearnSigma           bool   `json:"learn_sigma"`           // the original ADM file; its variance outputs are cut when packed
}

// Bridge is the configuration of the Schrödinger bridge that a network was
// trained for. Its fields are those of bridge.Config, in the same order.
type Bridge struct {
	Interval     int     `json:"interval"`                // N, even
	BetaMax      float64 `json:"beta_max"`                // 0.3 or 1.0 in the released models
	T0           float64 `json:"t0"`                      // 1e-4
	T            float64 `json:"T"`                       // 1
	OTODE        bool    `json:"ot_ode"`                  // deterministic bridge
	CondX1       bool    `json:"cond_x1"`                 // network input is concat(x_n, x1)
	AddX1Noise   bool    `json:"add_x1_noise"`            // x1 gets N(0,1) after the condition was taken
	RescaleStart bool    `json:"rescale_start,omitempty"` // β starts at 0.1/N instead of 1e-4
}
