// The way back of what operators read and add: pointwise, and sums over pixels.

struct read_back {
  struct read in;
  int64_t n;
  int64_t first, blocks;  // the blocks of what is read that y is made of
  int64_t d;              // gradient by what the read gives, N×in.blocks×h×w×16; or 0
  int64_t statistics;     // N×2×16·in.blocks, see norm_back; or 0
  int64_t y, add;         // gradient by the blocks' source, or added to it
};

// slope is the derivative of SiLU.
INLINE V slope(V x) {
  V s = 1.0f / (1.0f + vexp2(x * -LOG2E));
  return s * (1.0f + x * (1.0f - s));
}

// unresampled is the gradient by pixel (i, j) before resampling, of a plane of
// w columns after it.
INLINE V unresampled(const int how, const float *d, int64_t w, int i, int j) {
  if (how == SAME) return load(d + ((size_t)i * w + j) * BLOCK);
  if (how == DOWN) return load(d + ((size_t)(i / 2) * w + j / 2) * BLOCK) * 0.25f;
  const float *p = d + ((size_t)(2 * i) * w + 2 * j) * BLOCK, *q = p + w * BLOCK;
  return (load(p) + load(p + BLOCK)) + (load(q) + load(q + BLOCK));
}

// read_back_row is a row of a block of y.
INLINE void read_back_row(const int how, const int active, const struct read_back *k, int n, int b, int i) {
  const struct read *r = &k->in;
  int w = resampled(r->resample, (int)r->w), h = resampled(r->resample, (int)r->h);
  size_t block = k->first + b;
  const float *x = plane(r, n, (int)block) + (size_t)i * w * BLOCK;
  const float *d = PTR(k->d) + ((size_t)n * r->blocks + block) * r->h * r->w * BLOCK;
  float *y = PTR(k->y) + (((size_t)n * k->blocks + b) * h + i) * w * BLOCK;
  size_t vector = ((size_t)n * 2 * r->blocks + block) * BLOCK, second = r->blocks * BLOCK;
  EACH_LANE(v) {
    V scale = splat(1), shift = splat(0), s0 = splat(0), s1 = splat(0);
    if (r->affine) scale = load(PTR(r->affine) + vector + v), shift = load(PTR(r->affine) + vector + second + v);
    if (k->statistics) s0 = load(PTR(k->statistics) + vector + v), s1 = load(PTR(k->statistics) + vector + second + v);
    for (int j = 0; j < w; j++) {
      V g = splat(0), t = s0;
      if (k->d) g = unresampled(how, d + v, r->w, i, j);
      if (active || k->statistics) {
        V z = load(x + j * BLOCK + v);
        if (active) g *= slope(z * scale + shift);
        t = madd(s1, z, t);
      }
      t = madd(g, scale, t);
      if (k->add) t += load(y + j * BLOCK + v);
      store(y + j * BLOCK + v, t);
    }
  }
}

#define ROW_BACK(NAME, HOW, ACTIVE) \
  static NOINLINE void NAME(const struct read_back *k, int n, int b, int i) { read_back_row(HOW, ACTIVE, k, n, b, i); }
ROW_BACK(row_back_same, SAME, 0)
ROW_BACK(row_back_up, UP, 0)
ROW_BACK(row_back_down, DOWN, 0)
ROW_BACK(row_back_silu_same, SAME, 1)
ROW_BACK(row_back_silu_up, UP, 1)
ROW_BACK(row_back_silu_down, DOWN, 1)

// read_back: item i is a row of a block of a sample of y.
static void read_back(const struct read_back *k, int64_t from, int64_t to) {
  int64_t h = resampled(k->in.resample, (int)k->in.h), how = k->in.resample;
  for (int64_t i = from; i < to; i++) {
    int row = (int)(i % h), b = (int)(i / h % k->blocks), n = (int)(i / h / k->blocks);
    if (k->in.silu && k->d) how == SAME ? row_back_silu_same(k, n, b, row) : how == UP ? row_back_silu_up(k, n, b, row) : row_back_silu_down(k, n, b, row);
    else how == SAME ? row_back_same(k, n, b, row) : how == UP ? row_back_up(k, n, b, row) : row_back_down(k, n, b, row);
  }
}

// affine_back_block is Σ d·x and Σ d over the pixels of a block, row by row so
// that sums stay short. It uses all of read_back but statistics and first.
INLINE void affine_back_block(const int how, const int active, const struct read_back *k, int n, int b) {
  const struct read *r = &k->in;
  int w = resampled(r->resample, (int)r->w), h = resampled(r->resample, (int)r->h);
  size_t vector = ((size_t)n * 2 * r->blocks + b) * BLOCK, second = r->blocks * BLOCK;
  const float *d = PTR(k->d) + ((size_t)n * r->blocks + b) * r->h * r->w * BLOCK;
  float *y = PTR(k->y) + vector;
  EACH_LANE(v) {
    V scale = load(PTR(r->affine) + vector + v), shift = load(PTR(r->affine) + vector + second + v);
    V by_scale = splat(0), by_shift = splat(0);
    const float *x = plane(r, n, b) + v;
    for (int i = 0; i < h; i++, x += w * BLOCK) {
      V p = splat(0), s = splat(0);
      for (int j = 0; j < w; j++) {
        V z = load(x + j * BLOCK), g = unresampled(how, d + v, r->w, i, j);
        if (active) g *= slope(z * scale + shift);
        p = madd(g, z, p);
        s += g;
      }
      by_scale += p;
      by_shift += s;
    }
    if (k->add) by_scale += load(y + v), by_shift += load(y + second + v);
    store(y + v, by_scale);
    store(y + second + v, by_shift);
  }
}

#define SUM_BACK(NAME, HOW, ACTIVE) \
  static NOINLINE void NAME(const struct read_back *k, int n, int b) { affine_back_block(HOW, ACTIVE, k, n, b); }
SUM_BACK(sum_back_same, SAME, 0)
SUM_BACK(sum_back_up, UP, 0)
SUM_BACK(sum_back_down, DOWN, 0)
SUM_BACK(sum_back_silu_same, SAME, 1)
SUM_BACK(sum_back_silu_up, UP, 1)
SUM_BACK(sum_back_silu_down, DOWN, 1)

// affine_back: item i is a block of a sample.
static void affine_back(const struct read_back *k, int64_t from, int64_t to) {
  int64_t how = k->in.resample;
  for (int64_t i = from; i < to; i++) {
    int b = (int)(i % k->in.blocks), n = (int)(i / k->in.blocks);
    if (k->in.silu) how == SAME ? sum_back_silu_same(k, n, b) : how == UP ? sum_back_silu_up(k, n, b) : sum_back_silu_down(k, n, b);
    else how == SAME ? sum_back_same(k, n, b) : how == UP ? sum_back_up(k, n, b) : sum_back_down(k, n, b);
  }
}

struct sums {
  int64_t d;        // planes×area×16
  int64_t area;
  int64_t y, add;   // planes×16
};

// sums adds up planes in runs; item i is a plane.
static void sums(const struct sums *k, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++) {
    const float *d = PTR(k->d) + i * k->area * BLOCK;
    float *y = PTR(k->y) + i * BLOCK;
    EACH_LANE(v) {
      V total = splat(0);
      for (int64_t start = 0; start < k->area; start += RUN) {
        int64_t end = start + RUN < k->area ? start + RUN : k->area, j = start;
        V s[4] = {{0}};
        for (; j + 4 <= end; j += 4) UNROLL for (int u = 0; u < 4; u++) s[u] += load(d + (j + u) * BLOCK + v);
        for (; j < end; j++) s[0] += load(d + j * BLOCK + v);
        total += (s[0] + s[1]) + (s[2] + s[3]);
      }
      if (k->add) total += load(y + v);
      store(y + v, total);
    }
  }
}

struct spread {
  int64_t x, y;
  int64_t h, w;  // of y
};

// spread puts x at every second row and column of y, zeros between: what a
// stride of 2 read. Item i is a row of a plane of y.
static void spread(const struct spread *k, int64_t from, int64_t to) {
  int64_t half = (k->w + 1) / 2;
  for (int64_t i = from; i < to; i++) {
    int64_t p = i / k->h, row = i % k->h;
    float *y = PTR(k->y) + i * k->w * BLOCK;
    fill(y, (int)k->w);
    if (row % 2) continue;
    const float *x = PTR(k->x) + (p * ((k->h + 1) / 2) + row / 2) * half * BLOCK;
    for (int64_t j = 0; j < half; j++) copy(y + 2 * j * BLOCK, x + j * BLOCK, 1);
  }
}
