// How an operator reads its input: two tensors as one along the channels, a
// scale and a shift per channel (GroupNorm), SiLU, resampling.

struct read {
  int64_t x0, x1;  // N×blocks×…; x1 holds the blocks from blocks0 on
  int64_t blocks0, blocks;
  int64_t channels;
  int64_t affine;  // N×2×16·blocks: scales, shifts; or 0
  int64_t silu;
  int64_t resample;  // SAME, UP or DOWN
  int64_t h, w;      // after resampling
};

enum { SAME, UP, DOWN };

INLINE int resampled(int64_t how, int n) { return how == UP ? n / 2 : how == DOWN ? 2 * n : n; }

// plane is block b of sample n before resampling.
INLINE const float *plane(const struct read *r, int n, int b) {
  size_t area = (size_t)resampled(r->resample, r->h) * resampled(r->resample, r->w) * BLOCK;
  if (b < r->blocks0) return PTR(r->x0) + ((size_t)n * r->blocks0 + b) * area;
  return PTR(r->x1) + ((size_t)n * (r->blocks - r->blocks0) + b - r->blocks0) * area;
}

// span prepares count pixels of one row of the source. Windows have short rows,
// which no processor foresees: what will be read soon is fetched by hand.
INLINE void span(float *to, const float *from, int count, const float *soon, const float *scale, const float *shift, const int active) {
  EACH_LANE(v) {
    V a = scale ? load(scale + v) : splat(1), b = scale ? load(shift + v) : splat(0);
    for (int j = 0; j < count; j++) {
      if (v == 0) __builtin_prefetch(soon + j * BLOCK);
      V x = load(from + j * BLOCK + v) * a + b;
      store(to + j * BLOCK + v, active ? silu(x) : x);
    }
  }
}

INLINE void fill(float *to, int count) {
  for (int j = 0; j < count * BLOCK; j += VL) store(to + j, splat(0));
}

INLINE void copy(float *to, const float *from, int count) {
  for (int j = 0; j < count * BLOCK; j += VL) store(to + j, load(from + j));
}

// prepare_span is span with what the read asks for.
static NOINLINE void prepare_span(const struct read *r, int n, int b, float *to, const float *from, int count, const float *soon) {
  if (!r->affine && !r->silu) {
    for (int j = 0; j < count; j++) __builtin_prefetch(soon + j * BLOCK);
    copy(to, from, count);
    return;
  }
  const float *scale = NULL, *shift = NULL;
  if (r->affine) {
    scale = PTR(r->affine) + ((size_t)n * 2 * r->blocks + b) * BLOCK;
    shift = scale + r->blocks * BLOCK;
  }
  if (r->silu) span(to, from, count, soon, scale, shift, 1);
  else span(to, from, count, soon, scale, shift, 0);
}

// source is where pixel (i, j) of block b lies, or the nearest inside the
// picture.
INLINE const float *source(const struct read *r, int n, int b, int i, int j) {
  int h = resampled(r->resample, (int)r->h), w = resampled(r->resample, (int)r->w);
  i = resampled(r->resample, i), j = resampled(r->resample, j);
  i = i < 0 ? 0 : i < h ? i : h - 1;
  j = j < 0 ? 0 : j < w ? j : w - 1;
  return plane(r, n, b) + ((size_t)i * w + j) * BLOCK;
}

// prepare_row writes pixels j0 … j0+cols of row i of block b, in resampled
// coordinates; what lies outside the picture is zero. line has room for a row
// of the source, twice. What lies at soon will be read next but one.
static void prepare_row(const struct read *r, int n, int b, int i, int j0, int cols, float *to, float *line, const float *soon) {
  if (i < 0 || i >= r->h) {
    fill(to, cols);
    return;
  }
  int first = j0 < 0 ? 0 : j0, end = j0 + cols > r->w ? r->w : j0 + cols;
  if (end < first) end = first;
  fill(to, first - j0);
  fill(to + (end - j0) * BLOCK, j0 + cols - end);
  to += (first - j0) * BLOCK;
  const float *x = plane(r, n, b);
  int w = resampled(r->resample, (int)r->w);
  if (r->resample == SAME) {
    prepare_span(r, n, b, to, x + ((size_t)i * w + first) * BLOCK, end - first, soon);
  } else if (r->resample == UP) {
    int from = first / 2;
    prepare_span(r, n, b, line, x + ((size_t)(i / 2) * w + from) * BLOCK, (end + 1) / 2 - from, soon);
    for (int j = first; j < end; j++) copy(to + (j - first) * BLOCK, line + (j / 2 - from) * BLOCK, 1);
  } else {
    int count = 2 * (end - first);
    prepare_span(r, n, b, line, x + ((size_t)(2 * i) * w + 2 * first) * BLOCK, count, soon);
    float *second = line + count * BLOCK;
    prepare_span(r, n, b, second, x + ((size_t)(2 * i + 1) * w + 2 * first) * BLOCK, count, soon + (size_t)w * BLOCK);
    for (int j = 0; j < end - first; j++) {
      const float *p = line + 2 * j * BLOCK, *q = second + 2 * j * BLOCK;
      EACH_LANE(v)
      store(to + j * BLOCK + v, (load(p + v) + load(p + BLOCK + v) + load(q + v) + load(q + BLOCK + v)) * 0.25f);
    }
  }
}

// prepare writes a window of rows×cols pixels of blocks from b0 to b1.
static void prepare(const struct read *r, int n, int b0, int b1, int i0, int rows, int j0, int cols, float *to, float *line) {
  for (int b = b0; b < b1; b++) {
    for (int i = i0; i < i0 + rows; i++, to += cols * BLOCK) {
      if (r->resample == UP && i > i0 && i % 2 == 1 && i < r->h) {
        copy(to, to - cols * BLOCK, cols);
        continue;
      }
      int two = r->resample == UP ? 4 : 2, more = i + two >= i0 + rows && b + 1 < b1;
      const float *soon = source(r, n, b + more, more ? i + two - rows : i + two, j0);
      prepare_row(r, n, b, i, j0, cols, to, line, soon);
    }
  }
}
