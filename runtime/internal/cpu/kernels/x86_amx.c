//go:build cgo && amd64 && linux

// The kernels of bfloat16 tiles; all others are those of AVX-512.

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma,avx512bf16,amx-tile,amx-bf16"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma,avx512bf16,amx-tile,amx-bf16")
#endif
#define VL 16
#include "vec.h"
#include "read.h"
#include "write.h"
#include "conv.h"
#include "narrow.h"
#include "tiles.h"
#include "learn_tiles.h"
#include "native.h"
#include <sys/syscall.h>
#include <unistd.h>

void i2sb_run_amx(int64_t kernel, int64_t args, int64_t from, int64_t to, int64_t scratch) {
  const void *a = (const void *)(intptr_t)args;
  float *s = PTR(scratch);
  switch (kernel) {
    case 60: conv_tiles(a, from, to, s); break;
    case 61: pack_tiles16(a, from, to); break;
    case 62: tile_weights(a, from, to); break;
    case 63: learn_weights16(a, from, to, s); break;
    case 64: join_slots(a, from, to); break;
    default: i2sb_run_avx512(kernel, args, from, to, scratch);
  }
}

// i2sb_allow_tiles asks Linux for the tiles, for all threads of the process.
int i2sb_allow_tiles(void) { return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* XTILEDATA */) == 0; }
#ifdef __clang__
#pragma clang attribute pop
#endif
