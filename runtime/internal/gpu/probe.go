package gpu

import (
	"context"
	"encoding/binary"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/shaders"
)

// Probed is what a device was seen to do, whatever it says of itself.
type Probed struct {
	F16        bool // arithmetic of halves in shaders
	Subgroups  bool
	Timestamps bool
	// Reached is the largest binding that a shader wrote to the end of, in bytes:
	// the device's limit, or its half, its quarter and so on.
	Reached int64
	// Allocated is the largest buffer that was had, in bytes: the device's limit,
	// or its half, its quarter and so on.
	Allocated int64
	// HalfSpeed is the speed of a kernel that loads and stores halves, where 1
	// is that of the same with floats; 0 if it was not measured.
	HalfSpeed float64
}

const (
	probeF16 = `enable f16;
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<uniform> p: u32;
@compute @workgroup_size(1)
fn main() { y[0] = u32(f16(p) * 2.0h); }
`
	probeSubgroups = `enable subgroups;
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<uniform> p: u32;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
  let all = subgroupBroadcastFirst(p + p);
  if (i == 0u) { y[0] = all; }
}
`
)

// Probe finds out by compiling and running.
func Probe(ctx context.Context, d driver.Device) (p Probed) {
	p.F16 = computes(ctx, d, "probe f16", probeF16)
	p.Subgroups = computes(ctx, d, "probe subgroups", probeSubgroups)
	if s, err := d.Sequence("probe timestamps", nil); err == nil {
		_, err = d.Times(ctx, s, patience)
		p.Timestamps = err == nil
		s.Release()
	}
	for p.Allocated = d.Limits().Buffer &^ 3; p.Allocated > 0; p.Allocated = p.Allocated / 2 &^ 3 {
		if b, err := d.Buffer("probe memory", p.Allocated, driver.Storage); err == nil {
			b.Release()
			break
		}
	}
	for p.Reached = min(d.Limits().Binding&^3, p.Allocated); p.Reached > 0; p.Reached = p.Reached / 2 &^ 3 {
		if b, err := d.Buffer("probe binding", p.Reached, driver.Storage); err == nil {
			ok, err := reaches(ctx, d, driver.Range{Buffer: b, Size: p.Reached})
			b.Release()
			if ok && err == nil {
				break
			}
		}
	}
	return p
}

// reaches tells whether a shader writes to the first and the last word of a
// range, which is zero afterwards.
func reaches(ctx context.Context, d driver.Device, r driver.Range) (bool, error) {
	g := &gpu{dev: d, limits: d.Limits()}
	defer g.pipelines.release()
	const value = 0x1F35C0DE
	y := operand{arena, 0, r.Size}
	c := call{file: "reach", in: operands{"y": y}, params: params{"COUNT": int(r.Size / 4), "VALUE": value}, x: 1, y: 1, z: 1}
	made, err := g.record(ctx, "reach", []call{c}, func(operand) driver.Range { return r })
	if err != nil {
		return false, err
	}
	defer made.release()
	if err := g.submit(ctx, made); err != nil {
		return false, err
	}
	ok := true
	for _, at := range []int64{0, r.Size - 4} {
		var b [4]byte
		if err := d.Read(ctx, r.Buffer, r.Offset+at, b[:], patience); err != nil {
			return false, err
		}
		ok = ok && binary.LittleEndian.Uint32(b[:]) == value
		clear(b[:])
		if err := d.Write(r.Buffer, r.Offset+at, b[:]); err != nil {
			return false, err
		}
	}
	return ok, nil
}

// computes tells whether a shader compiles and doubles 21.
func computes(ctx context.Context, d driver.Device, label, wgsl string) bool {
	var made owned
	defer made.release()
	var err error
	make := func(x releaser, e error) {
		if e != nil {
			err = e
		} else {
			made = append(made, x)
		}
	}
	p, e := d.Pipeline(ctx, label, wgsl, []driver.Binding{driver.ReadWrite, driver.Params})
	if make(p, e); err != nil {
		return false
	}
	y, e := d.Buffer(label, 256, driver.Storage)
	make(y, e)
	u, e := d.Buffer(label, 256, driver.Uniform)
	if make(u, e); err != nil {
		return false
	}
	g, e := d.Group(label, p, []driver.Range{{Buffer: y, Size: 16}, {Buffer: u, Size: 16}})
	if make(g, e); err != nil {
		return false
	}
	s, e := d.Sequence(label, []driver.Command{{Label: label, Pipeline: p, Group: g, X: 1, Y: 1, Z: 1}})
	if make(s, e); err != nil {
		return false
	}
	var b [16]byte
	binary.LittleEndian.PutUint32(b[:], 21)
	if d.Write(u, 0, b[:]) != nil || d.Submit(s) != nil || d.Read(ctx, y, 0, b[:], patience) != nil {
		return false
	}
	return binary.LittleEndian.Uint32(b[:]) == 42
}

// HalfSpeed times SiLU over a feature map in floats and in halves; see Probed.
func HalfSpeed(ctx context.Context, d driver.Device, a driver.Adapter) (float64, error) {
	side := 1024
	if a.Software {
		side = 128
	}
	g := &gpu{dev: d, choose: realDevice}
	defer g.pipelines.release()
	var seconds [2]float64
	for half := range 2 {
		bytes := int64(4*side*side) * vec(half > 0)
		x, y := operand{scratch, 0, bytes}, operand{arena, 0, bytes}
		t, err := g.measure(ctx, x, y, call{file: "map", x: side * side / 64, y: 4, z: 1, in: operands{"x0": x, "y": y},
			consts: shaders.Constants{"F16": half, "CONCAT": 0, "AFFINE": 0, "SILU": 1, "RESAMPLE": 0, "SHIFT": 0, "RESIDUAL": 0},
			params: params{"IH": side, "IW": side, "CB": 4, "CB0": 4, "OH": side, "OW": side, "OB": 4}})
		if err != nil {
			return 0, err
		}
		seconds[half] = t.Seconds()
	}
	return seconds[0] / seconds[1], nil
}
