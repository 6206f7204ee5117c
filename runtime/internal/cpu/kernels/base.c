//go:build cgo && (amd64 || arm64)

// What every processor of the architecture has: SSE2 on amd64, NEON on arm64.
#define VL 4
#define RUN_KERNEL i2sb_run_base
#include "kernels.c"
