//go:build unix && !linux

package bench

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Peak is the largest memory that the process has had, in bytes.
func Peak() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss) // bytes there, kilobytes elsewhere
	}
	return int64(u.Maxrss) << 10
}
