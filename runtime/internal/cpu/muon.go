//go:build !js

package cpu

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
)

// muon moves the matrices. The largest come first, so that threads end together.
func (l *learner) muon(u device.Update) error {
	const each = int64(unsafe.Sizeof(kernels.Muon{}))
	if len(l.matrices.Bytes) == 0 {
		var err error
		if l.matrices, err = l.set.Alloc(each * int64(len(l.store.matrices))); err != nil {
			return err
		}
	}
	all := make([]kernels.Muon, 0, len(l.store.matrices))
	var scratch int64
	for _, m := range l.store.matrices {
		k := l.store.flat[m.W]
		rows, b := blocks(k.in)*kernels.Block*k.taps, blocks(m.Outputs)
		at := func(what device.Tensor) int64 { return l.store.tensor(what, m.W).Addr + 4*int64(m.First*rows) }
		all = append(all, kernels.Muon{W: at(device.Weight), Grad: at(device.Grad), M1: at(device.Moment1), Average: at(device.Average),
			Rows: int64(rows), Blocks: int64(b), Turns: int64(device.Ortho.Turns), A: device.Ortho.A, B: device.Ortho.B, C: device.Ortho.C,
			Momentum: u.Muon, Scale: u.Scale, Rate: m.Stride(u.Rate), Keep: 1 - u.Rate*u.Decay, Follow: 1 - u.Average})
		scratch = max(scratch, kernels.MuonScratch(b))
	}
	slices.SortStableFunc(all, func(a, b kernels.Muon) int { return cmp.Compare(b.Rows*b.Blocks*b.Blocks, a.Rows*a.Blocks*a.Blocks) })
	for i := range all {
		kernels.Put(l.matrices, each*int64(i), &all[i])
	}
	n := l.team.threads(l.asked)
	if err := l.team.prepare(n, scratch); err != nil {
		return err
	}
	l.team.run(n, kernels.RunMuon, l.matrices.Addr, len(all))
	return nil
}
