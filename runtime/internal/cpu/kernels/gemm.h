// The one inner kernel: up to ROWS pixels (or tiles, or queries) times up to
// two vectors of outputs, summed over channels that lie in segments of 16.
//
//   c[r][k] = init + Σ_s Σ_i a[off[s] + r·SA + i] · b[k][s·16 + i]
//
// b0 and b1 are the two vectors' streams of weights, 16 floats a channel. The
// last segment has only `last` channels.

#if VL == 16
#define ROWS 12 // 24 accumulators, 2 weights, and what broadcasts need, of 32
#elif defined(__aarch64__)
#define ROWS 8 // 16 accumulators of 32
#else
#define ROWS 6 // 12 accumulators of 16
#endif
#define PANEL (2 * VL) // outputs of one call

enum { ZERO, INIT, ACCUMULATE };

struct product {
  const float *a;
  const ptrdiff_t *off;
  int segments, last;
  const float *b0, *b1;
  int start; // ZERO, INIT from init0 and init1, or ACCUMULATE onto c
  const float *init0, *init1;
  float *c0, *c1; // rows are 16 floats apart
  ptrdiff_t soon; // where weights that will be read next lie, from b0 and b1
};

// FAR fetches the next R rows by hand: a comes from memory and is read once.
// SOON fetches the weights that will be read next.
INLINE void multiply(const int R, const int N, const int SA, const int FAR, const int SOON, const struct product *g) {
  V acc[ROWS][2];
  V i0 = splat(0), i1 = splat(0);
  if (g->start == INIT) {
    i0 = load(g->init0);
    if (N > 1) i1 = load(g->init1);
  }
  UNROLL for (int r = 0; r < R; r++) acc[r][0] = i0, acc[r][1] = i1;
  if (g->start == ACCUMULATE) {
    UNROLL for (int r = 0; r < R; r++) {
      acc[r][0] = load(g->c0 + r * BLOCK);
      if (N > 1) acc[r][1] = load(g->c1 + r * BLOCK);
    }
  }
  const float *b0 = g->b0, *b1 = g->b1;
  for (int s = 0; s < g->segments; s++) {
    const float *a = g->a + g->off[s], *ahead = a + R * SA;
    int depth = s == g->segments - 1 ? g->last : BLOCK;
    for (int i = 0; i < depth; i++, a++, b0 += BLOCK, b1 += BLOCK) {
      if (FAR) __builtin_prefetch(ahead), ahead += SA;
      if (SOON) {
        __builtin_prefetch(b0 + g->soon);
        if (N > 1 && VL == BLOCK) __builtin_prefetch(b1 + g->soon);
      }
      V w0 = load(b0), w1 = splat(0);
      if (N > 1) w1 = load(b1);
      UNROLL for (int r = 0; r < R; r++) {
        V x = splat(a[r * SA]);
        acc[r][0] = madd(x, w0, acc[r][0]);
        if (N > 1) acc[r][1] = madd(x, w1, acc[r][1]);
      }
    }
  }
  UNROLL for (int r = 0; r < R; r++) {
    store(g->c0 + r * BLOCK, acc[r][0]);
    if (N > 1) store(g->c1 + r * BLOCK, acc[r][1]);
  }
}

#define CASE(R) \
  case R: multiply(R, N, SA, FAR, SOON, g); break;
INLINE void rows_of(const int N, const int SA, const int FAR, const int SOON, int rows, const struct product *g) {
  switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if ROWS > 6
    CASE(7) CASE(8)
#endif
#if ROWS > 8
    CASE(9) CASE(10) CASE(11) CASE(12)
#endif
  }
}

static NOINLINE void gemm2(int rows, const struct product *g) { rows_of(2, BLOCK, 0, 0, rows, g); }
static NOINLINE void gemm1(int rows, const struct product *g) { rows_of(1, BLOCK, 0, 0, rows, g); }
static NOINLINE void gemm2_far(int rows, const struct product *g) { rows_of(2, BLOCK, 1, 0, rows, g); }
static NOINLINE void gemm1_far(int rows, const struct product *g) { rows_of(1, BLOCK, 1, 0, rows, g); }
#ifndef __wasm__ // which cannot fetch
static NOINLINE void gemm2_soon(int rows, const struct product *g) { rows_of(2, BLOCK, 0, 1, rows, g); }
static NOINLINE void gemm1_soon(int rows, const struct product *g) { rows_of(1, BLOCK, 0, 1, rows, g); }
#endif
static NOINLINE void gemm2_stride2(int rows, const struct product *g) { rows_of(2, 2 * BLOCK, 0, 0, rows, g); }
static NOINLINE void gemm1_stride2(int rows, const struct product *g) { rows_of(1, 2 * BLOCK, 0, 0, rows, g); }

// gemm takes vectors (1 or 2) and the distance of rows in pixels (1 or 2).
INLINE void gemm(int vectors, int stride, int rows, const struct product *g) {
  if (stride == 1) vectors == 2 ? gemm2(rows, g) : gemm1(rows, g);
  else vectors == 2 ? gemm2_stride2(rows, g) : gemm1_stride2(rows, g);
}

// gemm_far is for rows that lie side by side and come from memory.
INLINE void gemm_far(int vectors, int rows, const struct product *g) { vectors == 2 ? gemm2_far(rows, g) : gemm1_far(rows, g); }

// gemm_soon also fetches what lies at g->soon.
INLINE void gemm_soon(int vectors, int rows, const struct product *g) {
#ifdef __wasm__
  gemm(vectors, 1, rows, g);
#else
  vectors == 2 ? gemm2_soon(rows, g) : gemm1_soon(rows, g);
#endif
}

// group is how many rows to take next of `left`, so that the last call of a
// run is not a small one.
INLINE int group(int left) {
  int calls = (left + ROWS - 1) / ROWS;
  return (left + calls - 1) / calls;
}
