//go:build cgo

package kernels

// #include "native.h"
import "C"

import "golang.org/x/sys/cpu"

// natives lists what this processor runs, the best first.
func natives() []Set {
	var s []Set
	x := cpu.X86
	if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512BW && x.HasAVX512DQ && x.HasFMA {
		s = append(s, &native{"avx512", 16, C.i2sb_run(C.i2sb_run_avx512)})
	}
	if x.HasAVX2 && x.HasFMA {
		s = append(s, &native{"avx2", 8, C.i2sb_run(C.i2sb_run_avx2)})
	}
	return append(s, &native{"sse2", 4, C.i2sb_run(C.i2sb_run_base)})
}
