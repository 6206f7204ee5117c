//go:build cgo

package kernels

// #include "native.h"
import "C"

import (
	"sync"

	"golang.org/x/sys/cpu"
)

// tiles is the AVX-512 set with the kernels of AMX.
type tiles struct{ native }

func (*tiles) Tiles() {}

// tiler is nil where there are no tiles or the system does not allow them.
var tiler = sync.OnceValue(func() Set {
	x := cpu.X86
	if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512BW && x.HasAVX512DQ && x.HasFMA && x.HasAVX512BF16 && x.HasAMXTile && x.HasAMXBF16 && C.i2sb_allow_tiles() != 0 {
		return &tiles{native{"amx", 16, C.i2sb_run(C.i2sb_run_amx)}}
	}
	return nil
})
