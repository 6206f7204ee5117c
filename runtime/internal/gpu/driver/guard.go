//go:build cgo && !js

package driver

// Panics of the library come to fault.c.

// #cgo linux LDFLAGS: -Wl,--wrap=_Unwind_RaiseException
// #cgo windows LDFLAGS: -Wl,--wrap=_Unwind_RaiseException
// #cgo linux CFLAGS: -DGPU_GUARD
// #cgo windows CFLAGS: -DGPU_GUARD
// #cgo darwin CFLAGS: -DGPU_GUARD -DGPU_GUARD_FIRST -funwind-tables
import "C"
