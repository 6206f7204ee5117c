//go:build cgo && amd64

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")
#endif
#define VL 16
#define RUN_KERNEL i2sb_run_avx512
#include "kernels.c"
#ifdef __clang__
#pragma clang attribute pop
#endif
