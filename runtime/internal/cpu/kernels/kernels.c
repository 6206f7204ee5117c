//go:build ignore

// The leaf kernels of the CPU, one source for every instruction set: a file
// that defines VL (floats of a vector) and RUN_KERNEL (the entry's name)
// includes this one. Arguments are structs of 64-bit fields, which Go fills;
// addresses are 64 bits wide everywhere. Nothing is static and nothing is
// allocated, so a WASM build needs no data segment.

#include "vec.h"
#include "gemm.h"
#include "read.h"
#include "write.h"
#include "conv.h"
#include "direct.h"
#include "winograd.h"
#include "narrow.h"
#include "pack.h"
#include "staged.h"
#include "norm.h"
#include "layout.h"
#include "attention.h"
#include "walk.h"
#include "roof.h"
#ifndef FORWARD_ONLY
#include "back.h"
#include "correlate.h"
#include "turn.h"
#include "attention_back.h"
#include "adamw.h"
#include "muon.h"
#endif

// RUN_KERNEL computes items from … to of a kernel. The numbers are those of
// Kernel in kernels.go.
void RUN_KERNEL(int64_t kernel, int64_t args, int64_t from, int64_t to, int64_t scratch) {
  const void *a = (const void *)(intptr_t)args;
  float *s = PTR(scratch);
  switch (kernel) {
    case 0: conv_direct(a, from, to, s); break;
    case 1: conv_winograd4(a, from, to, s); break;
    case 2: conv_winograd2(a, from, to, s); break;
    case 3: pack_weights(a, from, to); break;
    case 4: moments(a, from, to); break;
    case 5: norm(a, from, to); break;
    case 6: map(a, from, to, s); break;
    case 7: concat(a, from, to); break;
    case 8: pack_heads(a, from, to); break;
    case 9: attend(a, from, to, s); break;
    case 10: import(a, from, to); break;
    case 11: export(a, from, to); break;
    case 12: stage_weights(a, from, to); break;
    case 13: stage_input(a, from, to, s); break;
    case 14: stage_multiply(a, from, to, s); break;
    case 15: stage_output(a, from, to); break;
    case 16: gather(a, from, to); break;
    case 17: scatter(a, from, to); break;
    case 18: advance(a, from, to, s); break;
    case 19: peak(a, from, to, s); break;
    case 20: stream(a, from, to, s); break;
    case 21: stage_products(a, from, to, s); break;
#ifndef FORWARD_ONLY
    case 40: read_back(a, from, to); break;
    case 41: affine_back(a, from, to); break;
    case 42: sums(a, from, to); break;
    case 43: spread(a, from, to); break;
    case 44: correlate(a, from, to); break;
    case 45: learn_input(a, from, to, s); break;
    case 46: learn_output(a, from, to); break;
    case 47: learn_filter(a, from, to); break;
    case 48: learn_taps(a, from, to, s); break;
    case 49: turn(a, from, to); break;
    case 50: attention_back(a, from, to, s); break;
    case 51: adamw(a, from, to); break;
    case 52: square_sums(a, from, to); break;
    case 53: learn_tiles(a, from, to, s); break;
    case 54: muon(a, from, to, s); break;
#endif
  }
}
