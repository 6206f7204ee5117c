// softmax(qᵀk/√d)·v, a block of queries at a time over chunks of keys, with
// the running maximum and sum of online softmax: no T×T matrix is held. The
// maximum only keeps exponentials in range, so that of the first chunk serves
// until a row's total grows out of all proportion.

#define QUERIES 48  // of a work item, a multiple of every ROWS but 8's remainder
#define KEYS 128    // of a chunk: its scores and values stay in the first cache
#define LOWEST -3e38f

struct attention {
  int64_t qkv, y;
  int64_t n, heads, d, area;
  int64_t blocks;    // of qkv
  int64_t qc, kc, vc, step;  // first channels of head 0, and the distance of heads
  int64_t packed;    // scratch of the plan, see pack_heads
  int64_t aligned;   // a head's q and v lie on whole blocks and are read in place
  int64_t scores, sums, off;  // places in a worker's scratch, in floats
  float scale;
  float pad;
};

INLINE int64_t d_blocks(const struct attention *a) { return (a->d + BLOCK - 1) / BLOCK; }
INLINE int64_t t_blocks(const struct attention *a) { return (a->area + BLOCK - 1) / BLOCK; }

// head_floats is what one head takes in packed: kᵀ, and q and v if they must
// be moved.
INLINE size_t head_floats(const struct attention *a) {
  size_t one = (size_t)t_blocks(a) * BLOCK * d_blocks(a) * BLOCK;
  return a->aligned ? one : 3 * one;
}

INLINE const float *channel(const struct attention *a, int64_t n, int64_t c) {
  return PTR(a->qkv) + (n * a->blocks + c / BLOCK) * a->area * BLOCK + c % BLOCK;
}

// pack_heads transposes keys to T/16×d×16; item i is a head of a sample.
static void pack_heads(const struct attention *a, int64_t from, int64_t to) {
  int64_t db = d_blocks(a) * BLOCK, tb = t_blocks(a);
  for (int64_t i = from; i < to; i++) {
    int64_t n = i / a->heads, h = i % a->heads;
    float *k = PTR(a->packed) + i * head_floats(a);
    for (int64_t b = 0; b < tb; b++)
      for (int64_t c = 0; c < db; c++) {
        const float *x = channel(a, n, a->kc + h * a->step + c) + b * BLOCK * BLOCK;
        int64_t count = c >= a->d ? 0 : a->area - b * BLOCK < BLOCK ? a->area - b * BLOCK : BLOCK;
        float *y = k + (b * db + c) * BLOCK;
        for (int64_t t = 0; t < BLOCK; t++) y[t] = t < count ? x[t * BLOCK] : 0;
      }
    if (a->aligned) continue;
    for (int part = 0; part < 2; part++) {
      float *to = k + (part + 1) * tb * BLOCK * db;
      for (int64_t c = 0; c < db; c++) {
        const float *x = channel(a, n, (part ? a->vc : a->qc) + h * a->step + c);
        for (int64_t t = 0; t < a->area; t++) to[(c / BLOCK * a->area + t) * BLOCK + c % BLOCK] = c < a->d ? x[t * BLOCK] : 0;
      }
    }
  }
}

// soften turns rows of scores into weights 2^(scale·(score − top)), adds them
// to each row's total, and returns the largest total of a lane.
static NOINLINE float soften(float *scores, int rows, int blocks, const float *top, V *total, float scale) {
  const size_t next = QUERIES * BLOCK;
  V most = splat(0);
  for (int r = 0; r < rows; r++) {
    float *s = scores + r * BLOCK;
    V sum = total[r], shift = splat(top[r] * scale);
    for (int b = 0; b < blocks; b++)
      EACH_LANE(v) {
        V e = vexp2(load(s + b * next + v) * scale - shift);
        store(s + b * next + v, e);
        sum += e;
      }
    total[r] = sum;
    most = vmax(most, sum);
  }
  return hmax(most);
}

// raise makes each row's top the maximum so far, and weighs totals and sums
// of values anew.
static NOINLINE void raise(const float *scores, int rows, int blocks, float *top, V *total, float *sums, int64_t db, float scale) {
  const size_t next = QUERIES * BLOCK;
  for (int r = 0; r < rows; r++) {
    V m = splat(top[r]);
    for (int b = 0; b < blocks; b++) EACH_LANE(v) m = vmax(m, load(scores + r * BLOCK + b * next + v));
    float high = hmax(m);
    V fade = vexp2(splat((top[r] - high) * scale));
    top[r] = high;
    total[r] *= fade;
    for (int64_t b = 0; b < db; b++) EACH_LANE(v) {
      float *o = sums + (b * QUERIES + r) * BLOCK + v;
      store(o, load(o) * fade);
    }
  }
}

// score writes the scores of rows of q for blocks of keys.
static NOINLINE void score(const float *q, const ptrdiff_t *off, const float *k, int db, int rows, int blocks, float *scores) {
  struct product g = {.off = off, .segments = db, .last = BLOCK, .start = ZERO};
  for (int p = 0; p < blocks * BLOCK; p += PANEL) {
    int u = p + VL;
    g.b0 = k + (size_t)(p / BLOCK) * db * BLOCK * BLOCK + p % BLOCK;
    g.b1 = k + (size_t)(u / BLOCK) * db * BLOCK * BLOCK + u % BLOCK;
    for (int r = 0, count; r < rows; r += count) {
      count = group(rows - r);
      g.a = q + (size_t)r * BLOCK;
      g.c0 = scores + (p / BLOCK * QUERIES + r) * BLOCK + p % BLOCK;
      g.c1 = scores + (u / BLOCK * QUERIES + r) * BLOCK + u % BLOCK;
      gemm(u < blocks * BLOCK ? 2 : 1, 1, count, &g);
    }
  }
}

// SAFE is how far totals may grow before the maximum is taken again: products
// with values must not overflow.
#define SAFE 0x1p64f

// attend: item i is a block of queries of a head of a sample.
static void attend(const struct attention *a, int64_t from, int64_t to, float *scratch) {
  int64_t pieces = (a->area + QUERIES - 1) / QUERIES, db = d_blocks(a), tb = t_blocks(a);
  float *scores = scratch + a->scores, *acc = scratch + a->sums;
  ptrdiff_t *q_off = (ptrdiff_t *)(scratch + a->off), *s_off = q_off + db;
  for (int64_t b = 0; b < db; b++) q_off[b] = b * a->area * BLOCK;
  for (int64_t b = 0; b < KEYS / BLOCK; b++) s_off[b] = b * QUERIES * BLOCK;
  float top[QUERIES], scale = a->scale * LOG2E;
  V total[QUERIES];
  for (int64_t i = from; i < to; i++) {
    int64_t n = i / pieces / a->heads, h = i / pieces % a->heads;
    int first = (int)(i % pieces) * QUERIES, rows = (int)(a->area - first < QUERIES ? a->area - first : QUERIES);
    const float *k = PTR(a->packed) + (n * a->heads + h) * head_floats(a);
    const float *q = a->aligned ? channel(a, n, a->qc + h * a->step) : k + tb * BLOCK * db * BLOCK;
    const float *v = a->aligned ? channel(a, n, a->vc + h * a->step) : k + 2 * tb * BLOCK * db * BLOCK;
    for (int r = 0; r < rows; r++) top[r] = LOWEST, total[r] = splat(0);
    for (int64_t t0 = 0; t0 < a->area; t0 += KEYS) {
      int keys = (int)(a->area - t0 < KEYS ? a->area - t0 : KEYS), blocks = (keys + BLOCK - 1) / BLOCK;
      int tail = keys - (blocks - 1) * BLOCK;
      for (int raised = t0 == 0;; raised = 1) {
        V before[QUERIES];
        for (int r = 0; r < rows; r++) before[r] = total[r];
        score(q + (size_t)first * BLOCK, q_off, k + t0 * db * BLOCK, (int)db, rows, blocks, scores);
        for (int r = 0; tail < BLOCK && r < rows; r++)
          for (int t = tail; t < BLOCK; t++) scores[((blocks - 1) * QUERIES + r) * BLOCK + t] = LOWEST;
        if (raised) raise(scores, rows, blocks, top, total, acc, t0 > 0 ? db : 0, scale);
        if (soften(scores, rows, blocks, top, total, scale) <= SAFE || raised) break;
        for (int r = 0; r < rows; r++) total[r] = before[r];
      }
      for (int p = 0; p < db * BLOCK; p += PANEL) {
        int u = p + VL, vectors = u < db * BLOCK ? 2 : 1;
        struct product g = {.off = s_off, .segments = blocks, .last = tail, .start = t0 > 0 ? ACCUMULATE : ZERO};
        g.b0 = v + ((size_t)(p / BLOCK) * a->area + t0) * BLOCK + p % BLOCK;
        g.b1 = v + ((size_t)(u / BLOCK) * a->area + t0) * BLOCK + u % BLOCK;
        for (int r = 0; r < rows;) {
          int count = group(rows - r);
          g.a = scores + r * BLOCK;
          g.c0 = acc + (p / BLOCK * QUERIES + r) * BLOCK + p % BLOCK;
          g.c1 = acc + (u / BLOCK * QUERIES + r) * BLOCK + u % BLOCK;
          gemm(vectors, 1, count, &g);
          r += count;
        }
      }
    }
    int64_t out = h * a->d, out_blocks = (a->heads * a->d + BLOCK - 1) / BLOCK;
    float *y = PTR(a->y) + n * out_blocks * a->area * BLOCK;
    for (int r = 0; r < rows; r++) {
      float over = 1 / hsum(total[r]);
      if (a->aligned) {
        for (int64_t b = 0; b < db; b++)
          EACH_LANE(l)
        store(y + ((out / BLOCK + b) * a->area + first + r) * BLOCK + l, load(acc + (b * QUERIES + r) * BLOCK + l) * over);
      } else {
        for (int64_t c = 0; c < a->d; c++)
          y[((out + c) / BLOCK * a->area + first + r) * BLOCK + (out + c) % BLOCK] = acc[(c / BLOCK * QUERIES + r) * BLOCK + c % BLOCK] * over;
      }
    }
  }
}
