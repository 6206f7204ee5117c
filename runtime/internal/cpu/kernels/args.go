package kernels

// The arguments of the kernels, field by field as in the C headers of the same
// names. Addresses are those of Memory.Addr.

// Resample is how a map changes its size: 0 the same, 1 doubled, 2 halved.
type Resample int64

// Read is struct read of read.h.
type Read struct {
	X0, X1          int64
	Blocks0, Blocks int64
	Channels        int64
	Affine          int64
	SiLU            int64
	Resample        Resample
	H, W            int64
}

// Write is struct write of write.h.
type Write struct {
	Y        int64
	Blocks   int64
	Bias     int64
	Shift    int64
	Residual int64
	Resample Resample
	H, W     int64
}

// Type is how direct weights lie in memory.
type Type int64

const (
	F32 Type = iota
	F16
	BF16
)

// Size is the bytes of a weight.
func (t Type) Size() int {
	if t == F32 {
		return 4
	}
	return 2
}

// Conv is struct conv of conv.h.
type Conv struct {
	In             Read
	Out            Write
	N              int64
	Kernel, Stride int64
	Flat           int64
	Weights        int64
	Type           Type
	BH, BW         int64
	NY, NX         int64
	KB, NK         int64

	Line, Strip, Input, Output int64
}

// Items is how many pieces of work there are.
func (c *Conv) Items() int { return int(c.N * c.NY * c.NX * c.NK) }

// Pack is struct pack of pack.h.
type Pack struct {
	W, To   int64
	Out, In int64
	Taps    int64
	Tile    int64
	Type    Type
}

// Staged is struct staged of staged.h.
type Staged struct {
	Conv
	Tile          int64
	First, Count  int64
	B0, B1        int64
	U, V, M       int64
	UStep, UBlock int64
	Group, Piece  int64
}

// Moments is struct moments of norm.h.
type Moments struct {
	X               int64
	N, Blocks, Area int64
	Runs            int64
	To, First, All  int64
}

// Norm is struct norm of norm.h.
type Norm struct {
	Moments                                 int64
	N, Channels, Blocks, Groups, Area, Runs int64
	Gamma, Beta                             int64
	ScaleShift, Stride                      int64
	Y                                       int64
	Eps                                     float64
}

// Planar is struct planar of layout.h.
type Planar struct {
	X, Y              int64
	N, Channels, Area int64
}

// Map is struct map of layout.h.
type Map struct {
	In   Read
	Out  Write
	N    int64
	Line int64
}

// Concat is struct concat of layout.h.
type Concat struct {
	X0, X1, Y       int64
	N, C0, C1, Area int64
}

// Attention is struct attention of attention.h.
type Attention struct {
	QKV, Y            int64
	N, Heads, D, Area int64
	Blocks            int64
	QC, KC, VC, Step  int64
	Packed            int64
	Aligned           int64
	Scores, Sums, Off int64
	Scale, Pad        float32
}

// Window is struct window of walk.h.
type Window struct {
	State, Cond, X0   int64
	C, H, W           int64
	Ring, Lines       int64
	Y, X, Rows, Cols  int64
	In, InBlocks, Out int64
	WeightY, WeightX  int64
	Clip              int64
	Sigma             float64
}

// Update is struct update of walk.h.
type Update struct {
	X, X0, X1, H0, H1         int64
	Mask                      int64
	C, H, W, Ring, Lines      int64
	Y, Rows                   int64
	Eps, MaskEps              int64
	Key, Step, Draw, MaskDraw int64
	Save, MaskX0, Clear       int64

	CX, C0, C1, CH0, CH1, Noise, SaveX, SaveX0, MaskNoise float64
}

// AdvanceScratch is the floats of scratch for rows of w pixels.
func AdvanceScratch(w int) int { return 3*((w+127)/64*64) + 2*64 }

// Roof is struct roof of roof.h.
type Roof struct {
	X, Bytes int64
	Rounds   int64
}

// Streamed is the bytes that one item of Stream reads.
const Streamed = 1 << 16

// PeakFLOPs is the arithmetic of one round of an item of Peak, for vectors of
// some floats.
func PeakFLOPs(vector int) int {
	if vector == 16 {
		return 2 * 24 * vector
	}
	return 2 * 12 * vector
}
