// What is added to an operator's result: a bias and a shift to every pixel of
// a channel, a residual (resampled) to every element.

struct write {
  int64_t y;
  int64_t blocks;
  int64_t bias;      // 16·blocks, or 0
  int64_t shift;     // N×16·blocks, or 0
  int64_t residual;  // or 0
  int64_t resample;
  int64_t h, w;
};

// bias_of puts bias + shift of block b into to.
INLINE void bias_of(const struct write *o, int n, int b, float *to) {
  EACH_LANE(v) {
    V s = splat(0);
    if (o->bias) s += load(PTR(o->bias) + b * BLOCK + v);
    if (o->shift) s += load(PTR(o->shift) + ((size_t)n * o->blocks + b) * BLOCK + v);
    store(to + v, s);
  }
}

INLINE float *result(const struct write *o, int n, int b) {
  return PTR(o->y) + ((size_t)n * o->blocks + b) * o->h * o->w * BLOCK;
}

// residual_at is one vector of the residual for pixel (i, j).
INLINE V residual_at(const struct write *o, const float *plane, int i, int j) {
  if (o->resample == SAME) return load(plane + ((size_t)i * o->w + j) * BLOCK);
  if (o->resample == UP) return load(plane + ((size_t)(i / 2) * (o->w / 2) + j / 2) * BLOCK);
  const float *p = plane + ((size_t)(2 * i) * (2 * o->w) + 2 * j) * BLOCK;
  const float *q = p + 2 * o->w * BLOCK;
  return (load(p) + load(p + BLOCK) + load(q) + load(q + BLOCK)) * 0.25f;
}

INLINE const float *residual_plane(const struct write *o, int n, int b) {
  size_t area = (size_t)resampled(o->resample, o->h) * resampled(o->resample, o->w) * BLOCK;
  return PTR(o->residual) + ((size_t)n * o->blocks + b) * area;
}

// add_residual adds the residual to count pixels of row i from column j on,
// lanes k … k+lanes of block b, which lie at y.
INLINE void add_residual(const struct write *o, int n, int b, int lane, int lanes, int i, int j, int count, float *y) {
  const float *p = residual_plane(o, n, b) + lane;
  for (int c = 0; c < count; c++)
    for (int v = 0; v < lanes; v += VL)
      store(y + c * BLOCK + v, load(y + c * BLOCK + v) + residual_at(o, p + v, i, j + c));
}
