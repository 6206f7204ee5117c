package runtime

import (
	"image"
	"log/slog"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/devices"
)

// OpenOption changes how a Model is opened.
type OpenOption func(*openOptions)

type openOptions struct {
	device    string
	threads   int
	precision string
	noTune    bool
	stay      bool
	log       *slog.Logger

	chose func(why string, failed error)                       // told what auto takes; may be nil
	find  func(string, devices.Options) (device.Device, error) // for tests; nil: devices.Open
}

// WithDevice chooses the device: "auto" (the default: the best real GPU, else
// the CPU), "cpu", "gpu" (the best adapter, a software one if there is no
// other), "gpu:N", a part of a GPU's name, or "ref", the slow specification.
func WithDevice(name string) OpenOption { return func(o *openOptions) { o.device = name } }

// WithThreads limits the CPU threads; 0, the default, takes GOMAXPROCS.
func WithThreads(n int) OpenOption { return func(o *openOptions) { o.threads = n } }

// WithPrecision takes "f32"; "f16", in which a GPU stores weights and activations;
// "bf16", in which a CPU with AMX multiplies, and no other device; or "auto", the
// default: f16 on a GPU where that was measured to be faster, else f32. Sums are
// of float32 always.
func WithPrecision(p string) OpenOption { return func(o *openOptions) { o.precision = p } }

// WithTuning lets a real GPU time its kernels once for every new size, and keep
// the result in the user's cache folder: the default. Without it they are chosen
// by estimates.
func WithTuning(on bool) OpenOption { return func(o *openOptions) { o.noTune = !on } }

// WithFallback lets a model that "auto" put on a GPU go over to the CPU when the
// GPU fails at work: the default. What was being restored is begun again there
// with the same noise, so that the result is the CPU's; Model.Fallback and
// Result.Fallback say so, and the log does once. Without it the error is
// returned. A model made by OpenWeights cannot read its weights again and never
// goes over once it is open.
func WithFallback(on bool) OpenOption { return func(o *openOptions) { o.stay = !on } }

// WithLogger logs what was chosen and why. Without it nothing is logged.
func WithLogger(l *slog.Logger) OpenOption { return func(o *openOptions) { o.log = l } }

// Option changes one restoration. Without options the pack's defaults hold.
type Option func(*options)

type options struct {
	task     string
	steps    *int
	sampler  string
	eta      *float64
	seed     uint64
	mask     *Mask
	tile     int
	overlap  int
	clip     *bool
	lastX0   *bool
	label    int
	cond     *bridge.Image
	noise    bridge.Noise
	onStep   func(Step) error
	onWork   func(Work)
	official bool
}

// Mask marks the pixels to restore: 255 is a hole, 0 is known and kept
// exactly, values between blend. Row-major, W·H values.
type Mask struct {
	W, H   int
	Values []uint8
}

// MaskOf makes a mask of a picture's luminance: white is the hole.
func MaskOf(img image.Image) *Mask {
	b := img.Bounds()
	m := &Mask{W: b.Dx(), H: b.Dy(), Values: make([]uint8, 0, b.Dx()*b.Dy())}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			m.Values = append(m.Values, uint8((19595*r+38470*g+7471*bl+1<<15)>>24))
		}
	}
	return m
}

// WithTask names what was done to the picture: a family (jpeg, sr4x, deblur,
// inpaint) or a full name (jpeg-10, sr4x-pool, blur-gauss, inpaint-center, …).
// sr4x takes a small picture and returns it four times larger. The default is
// the pack's first task that keeps the size.
func WithTask(name string) Option { return func(o *options) { o.task = name } }

// WithSteps sets the number of network evaluations (NFE), from 1 to the
// bridge's interval - 1. The default is the task's in the pack.
func WithSteps(nfe int) Option { return func(o *options) { o.steps = &nfe } }

// WithSampler chooses posterior, ode, early, overshoot, i3sb, dbim1, dbim2,
// dbim3, ab2, 2m or heun. The default is the task's, else posterior, or ode for
// OT-ODE packs.
func WithSampler(name string) Option { return func(o *options) { o.sampler = name } }

// WithEta sets, from 0 to 1, the stochasticity of i3sb and dbim1, and how much
// farther than x̂0 says overshoot's first stride goes. The defaults are 0.6, 0 and
// 0.25; other samplers take none.
func WithEta(eta float64) Option { return func(o *options) { o.eta = &eta } }

// WithSeed seeds the noise. The same seed gives the same picture on every
// device, for every tiling and batch. The default is 0.
func WithSeed(seed uint64) Option { return func(o *options) { o.seed = seed } }

// WithMask gives the mask of an inpainting task, of the picture's size.
func WithMask(m *Mask) Option { return func(o *options) { o.mask = m } }

// WithTile cuts the picture into overlapping tiles of this side; 0, the
// default, does so only when the whole would need more than a gigabyte (tiles of
// 256, or of 512 with a mask), or when the device has no memory for it; a negative
// value never does.
func WithTile(side int) Option { return func(o *options) { o.tile = side } }

// WithOverlap sets the least overlap of tiles in pixels; the default is a
// quarter of the tile.
func WithOverlap(pixels int) Option { return func(o *options) { o.overlap = pixels } }

// WithClip clips each x̂0 to [-1, 1], or not. The default is the task's.
func WithClip(clip bool) Option { return func(o *options) { o.clip = &clip } }

// WithLastX0 returns the last x̂0 in place of the state at index 0, which
// keeps a share σ_0²/σ_n² of the state before it, and with it a trace of its
// noise: 0.07 % after one step, half after all 999. The default is the task's.
func WithLastX0(last bool) Option { return func(o *options) { o.lastX0 = &last } }

// WithLabel gives the class of a class-conditional network, from 0, the
// default, on.
func WithLabel(class int) Option { return func(o *options) { o.label = class } }

// WithCondition gives the condition of a network that reads one, as large as
// x1; without it x1 is its own condition.
func WithCondition(cond *bridge.Image) Option { return func(o *options) { o.cond = cond } }

// WithNoise replaces the seeded noise, for example by recorded draws.
func WithNoise(n bridge.Noise) Option { return func(o *options) { o.noise = n } }

// WithOfficialMask repeats the reference at the known pixels: they keep the
// bridge's noise in the result of a stochastic sampler, and x1's hole is taken
// as it was given. Without it known pixels are exact.
func WithOfficialMask() Option { return func(o *options) { o.official = true } }

// WithStep calls f after every step of the walk (for heun, after both halves of
// one), on the caller's goroutine. An error ends the restoration and is
// returned. No step is told twice, also where a walk begins again on the CPU.
func WithStep(f func(Step) error) Option { return func(o *options) { o.onStep = f } }

// Step is where a walk has come to. Its methods are for the time of the call:
// afterwards the walk has gone on.
type Step struct {
	Done, Of int // evaluations of the network, counted from 1
	Index    int // the bridge's index that the state has reached, 0 at the end
	walk     *walk
}

// WithWork is called several times within every evaluation of the network, on
// the caller's goroutine.
func WithWork(f func(Work)) Option { return func(o *options) { o.onWork = f } }

// Work is how much of a restoration is done, which is finer than Step: large
// pictures have many tiles, and an evaluation takes a while.
type Work struct {
	Fraction    float64 // from 0 to 1
	Step, Steps int     // evaluations done, and of how many
	Tile, Tiles int     // done within the step
}

// State copies the state at Index, without padding. The error is the device's.
func (s Step) State() (*bridge.Image, error) { return s.walk.cropped(s.walk.canvas.State()) }

// X0 copies the present estimate of the clean picture, without padding.
func (s Step) X0() (*bridge.Image, error) { return s.walk.cropped(s.walk.canvas.X0()) }
