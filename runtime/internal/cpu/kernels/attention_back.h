// The way back of attention: with P = softmax(S), S = qᵀk/√d and a = P·v,
//
//   ∂v = Pᵀ·∂a   ∂P = ∂a·vᵀ   ∂S = P ∘ (∂P − Σ P∘∂P)   ∂q = ∂S·k/√d   ∂k = ∂Sᵀ·q/√d
//
// TOGETHER queries at a time, whose rows of P are made again.

#define TOGETHER 4

struct attention_back {
  int64_t qkv, d, y, add;
  int64_t n, heads, dim, area;
  int64_t blocks, d_blocks;  // of qkv and y, and of d
  int64_t qc, kc, vc, step;  // as in struct attention
  double scale;
};

// lift copies a head's channels, which lie 16 apart, to rows of pitch floats
// with zeros behind; lower puts them back.
static void lift(const float *from, int64_t area, int64_t first, int64_t dim, int64_t pitch, float *to) {
  for (int64_t c = 0; c < dim; c++, to += pitch) {
    const float *x = from + (first + c) / BLOCK * area * BLOCK + (first + c) % BLOCK;
    for (int64_t t = 0; t < area; t++) to[t] = x[t * BLOCK];
    for (int64_t t = area; t < pitch; t++) to[t] = 0;
  }
}

static void lower(float *to, int64_t area, int64_t first, int64_t dim, int64_t pitch, const float *from, int64_t add) {
  for (int64_t c = 0; c < dim; c++, from += pitch) {
    float *y = to + (first + c) / BLOCK * area * BLOCK + (first + c) % BLOCK;
    for (int64_t t = 0; t < area; t++) y[t * BLOCK] = add ? y[t * BLOCK] + from[t] : from[t];
  }
}

// dots is Σ_c a[c][t+r]·b[c][u] for the queries from t on.
static NOINLINE void dots(const float *a, const float *b, int64_t dim, int64_t pitch, float *y) {
  for (int64_t u = 0; u < pitch; u += VL) {
    V s[TOGETHER] = {{0}};
    for (int64_t c = 0; c < dim; c++) {
      V x = load(b + c * pitch + u);
      UNROLL for (int r = 0; r < TOGETHER; r++) s[r] = madd(splat(a[c * pitch + r]), x, s[r]);
    }
    UNROLL for (int r = 0; r < TOGETHER; r++) store(y + r * pitch + u, s[r]);
  }
}

// softmax_rows turns scores into weights, zero behind the last key.
static void softmax_rows(float *p, int64_t area, int64_t pitch, float scale) {
  for (int r = 0; r < TOGETHER; r++, p += pitch) {
    float top = p[0];
    for (int64_t u = 1; u < area; u++) top = p[u] > top ? p[u] : top;
    for (int64_t u = area; u < pitch; u++) p[u] = LOWEST;
    V total = splat(0);
    for (int64_t u = 0; u < pitch; u += VL) {
      V e = vexp2((load(p + u) - top) * scale);
      store(p + u, e);
      total += e;
    }
    // 2^-126 behind the last key is nothing beside the 1 of the top.
    float over = 1 / hsum(total);
    for (int64_t u = 0; u < pitch; u += VL) store(p + u, load(p + u) * over);
    for (int64_t u = area; u < pitch; u++) p[u] = 0;
  }
}

// attention_back: item i is a head of a sample.
static void attention_back(const struct attention_back *k, int64_t from, int64_t to, float *scratch) {
  int64_t dim = k->dim, area = k->area, pitch = (area + BLOCK - 1) / BLOCK * BLOCK, all = dim * pitch;
  float *q = scratch, *key = q + all, *v = key + all, *g = v + all, *dq = g + all, *dk = dq + all, *dv = dk + all;
  float *p = dv + all, *s = p + TOGETHER * pitch;
  float scale = (float)k->scale;
  for (int64_t i = from; i < to; i++) {
    int64_t n = i / k->heads, h = i % k->heads, off = h * k->step;
    const float *x = PTR(k->qkv) + n * k->blocks * area * BLOCK;
    float *y = PTR(k->y) + n * k->blocks * area * BLOCK;
    lift(x, area, k->qc + off, dim, pitch, q);
    lift(x, area, k->kc + off, dim, pitch, key);
    lift(x, area, k->vc + off, dim, pitch, v);
    lift(PTR(k->d) + n * k->d_blocks * area * BLOCK, area, h * dim, dim, pitch, g);
    for (int64_t j = 0; j < 2 * all; j += VL) store(dk + j, splat(0));
    // The queries behind the last are zero and so is the gradient by their
    // results: they add nothing.
    for (int64_t t = 0; t < area; t += TOGETHER) {
      dots(q + t, key, dim, pitch, p);
      softmax_rows(p, area, pitch, scale * LOG2E);
      dots(g + t, v, dim, pitch, s);
      for (int r = 0; r < TOGETHER; r++) {
        V mean = splat(0);
        for (int64_t u = r * pitch; u < (r + 1) * pitch; u += VL) mean += load(p + u) * load(s + u);
        V m = splat(hsum(mean));
        for (int64_t u = r * pitch; u < (r + 1) * pitch; u += VL) store(s + u, load(p + u) * (load(s + u) - m) * scale);
      }
      for (int64_t c = 0; c < dim; c++) {
        V sum[TOGETHER] = {{0}}, a[TOGETHER], b[TOGETHER];
        UNROLL for (int r = 0; r < TOGETHER; r++) a[r] = splat(g[c * pitch + t + r]), b[r] = splat(q[c * pitch + t + r]);
        for (int64_t u = 0; u < pitch; u += VL) {
          V to_v = load(dv + c * pitch + u), to_k = load(dk + c * pitch + u), from_k = load(key + c * pitch + u);
          UNROLL for (int r = 0; r < TOGETHER; r++) {
            V e = load(s + r * pitch + u);
            to_v = madd(load(p + r * pitch + u), a[r], to_v);
            to_k = madd(e, b[r], to_k);
            sum[r] = madd(e, from_k, sum[r]);
          }
          store(dv + c * pitch + u, to_v);
          store(dk + c * pitch + u, to_k);
        }
        UNROLL for (int r = 0; r < TOGETHER; r++) dq[c * pitch + t + r] = hsum(sum[r]);
      }
    }
    lower(y, area, k->qc + off, dim, pitch, dq, k->add);
    lower(y, area, k->kc + off, dim, pitch, dk, k->add);
    lower(y, area, k->vc + off, dim, pitch, dv, k->add);
    for (int64_t c = 3 * k->heads * dim; h == k->heads - 1 && c < k->blocks * BLOCK; c++)
      for (int64_t t = 0; t < area; t++) y[(c / BLOCK * area + t) * BLOCK + c % BLOCK] = 0;
  }
}
