package bench

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var getProcessMemoryInfo = windows.NewLazySystemDLL("psapi.dll").NewProc("GetProcessMemoryInfo")

// Peak is the largest memory that the process has had, in bytes.
func Peak() int64 {
	var c struct {
		size, faults                     uint32
		peakWorkingSet, workingSet       uintptr
		quota                            [4]uintptr
		pagefileUsage, peakPagefileUsage uintptr
	}
	c.size = uint32(unsafe.Sizeof(c))
	if r, _, _ := getProcessMemoryInfo.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&c)), uintptr(c.size)); r == 0 {
		return 0
	}
	return int64(c.peakWorkingSet)
}
