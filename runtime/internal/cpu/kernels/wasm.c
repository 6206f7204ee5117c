//go:build ignore

// The kernels for WASM with 128-bit vectors; build makes the .wasm files of it.
#define VL 4
#define RUN_KERNEL run
#include "kernels.c"
