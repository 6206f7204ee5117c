//go:build !js

package kernels

// The kernels of training, which a page does not have.
const (
	RunReadBack Kernel = iota + 40
	RunAffineBack
	RunSums
	RunSpread
	RunCorrelate
	LearnInput
	LearnOutput
	LearnFilter
	LearnTaps
	TurnWeights
	RunAttentionBack
	RunAdamW
	SquareSums
	LearnTiles
	RunMuon
)

const (
	Stretch  = 16384 // floats of an item of RunAdamW and SquareSums
	Together = 4     // queries of one turn of RunAttentionBack
)

// ReadBack is struct read_back of back.h.
type ReadBack struct {
	In            Read
	N             int64
	First, Blocks int64
	D             int64
	Statistics    int64
	Y, Add        int64
}

// Sums is struct sums of back.h.
type Sums struct{ D, Area, Y, Add int64 }

// Spread is struct spread of back.h.
type Spread struct{ X, Y, H, W int64 }

// Correlate is struct correlate of correlate.h.
type Correlate struct {
	V0, V1, Blocks0                   int64
	VStep, VBlock, VSample0, VSample1 int64
	M, MStep, MBlock, MSample         int64
	U, UStep, UOut, UIn               int64
	Frequencies, Samples, Count       int64
	In, InBlocks, OutBlocks           int64
	GroupIn, GroupOut                 int64
	Start                             int64
}

// Starts of a sum.
const (
	Zero       = 0
	Accumulate = 2
)

// Items is how many pieces of work there are.
func (c *Correlate) Items() int {
	return int(c.Frequencies * ((c.InBlocks + c.GroupIn - 1) / c.GroupIn) * ((c.OutBlocks + c.GroupOut - 1) / c.GroupOut))
}

// Filter is struct learn_filter of correlate.h.
type Filter struct {
	U, UStep     int64
	Slots, USlot int64
	Y            int64
}

// Tiles is struct learn_tiles of correlate.h.
type Tiles struct {
	Conv
	Items, Slots    int64
	U, USlot, UStep int64
}

// Taps is struct learn_taps of correlate.h.
type Taps struct {
	Conv
	First, Samples int64
	Y0, Rows       int64
	V              int64
}

// Turn is struct turn of turn.h.
type Turn struct {
	W, To           int64
	Out, In         int64
	Taps            int64
	Tile            int64
	ToStep, ToBlock int64
}

// Tile is struct tile_weights of learn_tiles.h.
type Tile struct {
	W, To, Out, In, Taps, Turned int64
}

// Learn16 is struct learn16 of learn_tiles.h.
type Learn16 struct {
	Conv
	Items, Slots, Group, Pitch, U, USlot int64
}

// Join16 is struct join16 of learn_tiles.h.
type Join16 struct {
	U, USlot, Slots, Y int64
}

// AttentionBack is struct attention_back of attention_back.h.
type AttentionBack struct {
	QKV, D, Y, Add      int64
	N, Heads, Dim, Area int64
	Blocks, DBlocks     int64
	QC, KC, VC, Step    int64
	Scale               float64
}

// AdamW is struct adamw of adamw.h.
type AdamW struct {
	W, Grad, M1, M2, Average   int64
	Count                      int64
	Squares                    int64
	Pad                        int64
	Beta1, Beta2, Over1, Over2 float64
	Scale, Rate, Eps, Decay    float64
	Follow                     float64
}

// Muon is struct muon of muon.h.
type Muon struct {
	W, Grad, M1, Average int64
	Rows, Blocks         int64
	Turns                int64
	A, B, C              float64
	Momentum, Scale      float64
	Rate, Keep, Follow   float64
}

// MuonScratch is the bytes of scratch for a matrix of so many blocks of outputs:
// four squares, some rows, and an offset a block.
func MuonScratch(blocks int) int64 {
	o := int64(blocks * Block)
	return 4*(4*o*o+12*o) + 8*int64(blocks)
}
