//go:build cgo

package kernels

// #include "native.h"
import "C"

func natives() []Set { return []Set{&native{"neon", 4, C.i2sb_run(C.i2sb_run_base)}} }
