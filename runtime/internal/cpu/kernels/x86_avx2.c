//go:build cgo && amd64

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define VL 8
#define RUN_KERNEL i2sb_run_avx2
#include "kernels.c"
#ifdef __clang__
#pragma clang attribute pop
#endif
