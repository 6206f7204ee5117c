// Weights as the products read them: blocks of 16 outputs, inside each the
// segments of 16 inputs, each 16×16, outputs innermost.

// pack_direct lays out blocks from … to of 16 outputs.
static void pack_direct(const struct pack *p, int64_t from, int64_t to) {
  int64_t ib = (p->in + BLOCK - 1) / BLOCK;
  for (int64_t ob = from; ob < to; ob++)
    for (int64_t s = 0; s < ib * p->taps; s++) {
      int64_t b = s / p->taps, tap = s % p->taps;
      size_t at = (ob * ib * p->taps + s) * BLOCK * BLOCK;
      for (int c = 0; c < BLOCK; c++)
        for (int k = 0; k < BLOCK; k++) {
          int64_t i = b * BLOCK + c, o = ob * BLOCK + k;
          float w = i < p->in && o < p->out ? PTR(p->w)[(o * p->in + i) * p->taps + tap] : 0;
          size_t j = at + c * BLOCK + k;
          if (p->type == F32) PTR(p->to)[j] = w;
          else ((uint16_t *)(intptr_t)p->to)[j] = narrow(w, p->type);
        }
    }
}

// filter4 and filter2 are G·g for one column of a filter.
INLINE void filter4(const V *g, V *u) {
  V a = (g[0] + g[2]) * (-1.0f / 6), b = g[1] * (1.0f / 6);
  V c = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), d = g[1] * (1.0f / 12);
  u[0] = g[0] * 0.25f;
  u[1] = a - b;
  u[2] = a + b;
  u[3] = c + d;
  u[4] = c - d;
  u[5] = g[2];
}

INLINE void filter2(const V *g, V *u) {
  V a = (g[0] + g[2]) * 0.5f, b = g[1] * 0.5f;
  u[0] = g[0];
  u[1] = a + b;
  u[2] = a - b;
  u[3] = g[2];
}

// filter transforms a vector of 3×3 filters; tap t lies at g[t·BLOCK].
INLINE void filter(const int m, const float *g, float *to, size_t step) {
  const int a = m + 2;
  V t[6][3];
  UNROLL for (int j = 0; j < 3; j++) {
    V d[3], r[6];
    UNROLL for (int i = 0; i < 3; i++) d[i] = load(g + (3 * i + j) * BLOCK);
    if (m == 4) filter4(d, r);
    else filter2(d, r);
    UNROLL for (int i = 0; i < a; i++) t[i][j] = r[i];
  }
  UNROLL for (int i = 0; i < a; i++) {
    V r[6];
    if (m == 4) filter4(t[i], r);
    else filter2(t[i], r);
    UNROLL for (int j = 0; j < a; j++) store(to + (i * a + j) * step, r[j]);
  }
}

// pack_winograd transforms blocks from … to of 16 outputs.
INLINE void pack_tiles(const int m, const struct pack *p, int64_t from, int64_t to) {
  int64_t ib = (p->in + BLOCK - 1) / BLOCK, blocks = (p->out + BLOCK - 1) / BLOCK;
  size_t per_block = (size_t)ib * BLOCK * BLOCK, step = (size_t)blocks * per_block;
  float g[9 * BLOCK] __attribute__((aligned(64)));
  for (int64_t ob = from; ob < to; ob++)
    for (int64_t i = 0; i < ib * BLOCK; i++) {
      for (int k = 0; k < BLOCK; k++) {
        int64_t o = ob * BLOCK + k;
        for (int t = 0; t < 9; t++) g[t * BLOCK + k] = i < p->in && o < p->out ? PTR(p->w)[(o * p->in + i) * 9 + t] : 0;
      }
      float *d = PTR(p->to) + ob * per_block + i * BLOCK;
      EACH_LANE(v) filter(m, g + v, d + v, step);
    }
}

static void pack_weights(const struct pack *p, int64_t from, int64_t to) {
  if (p->tile == 4) pack_tiles(4, p, from, to);
  else if (p->tile == 2) pack_tiles(2, p, from, to);
  else pack_direct(p, from, to);
}
