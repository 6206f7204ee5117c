// 3×3 convolutions of stride 1 by Winograd's minimal filtering (Lavin and
// Gray, 2016), F(4×4,3×3) at the points 0, ±1, ±2, ∞ or F(2×2,3×3) at 0, ±1, ∞:
//
//   y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
//
// summed over channels inside ⊙, which makes 36 (16) matrix products with a
// quarter (four ninths) of the multiplications. A work item transforms a block
// of tiles, multiplies, and transforms back, all in its scratch.

// SLICE is how many output blocks are multiplied before they are transformed.
#define SLICE 2
#define MOST_BLOCKS 256  // of the input

INLINE void input4(const V *d, V *t) {
  V a = d[4] - 4.0f * d[2], b = d[3] - 4.0f * d[1];
  V e = d[4] - d[2], f = 2.0f * (d[3] - d[1]);
  t[0] = 4.0f * d[0] + (d[4] - 5.0f * d[2]);
  t[1] = a + b;
  t[2] = a - b;
  t[3] = e + f;
  t[4] = e - f;
  t[5] = 4.0f * d[1] + (d[5] - 5.0f * d[3]);
}

INLINE void output4(const V *m, V *y) {
  V a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  y[0] = m[0] + a + c;
  y[1] = b + 2.0f * d;
  y[2] = a + 4.0f * c;
  y[3] = b + 8.0f * d + m[5];
}

INLINE void input2(const V *d, V *t) {
  t[0] = d[0] - d[2];
  t[1] = d[1] + d[2];
  t[2] = d[2] - d[1];
  t[3] = d[1] - d[3];
}

INLINE void output2(const V *m, V *y) {
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] - m[3];
}

// transform_in makes the frequencies of one tile, whose rows are pitch floats
// apart; frequency f goes to to[f·step].
INLINE void transform_in(const int m, const float *x, size_t pitch, float *to, size_t step) {
  const int a = m + 2;
  V t[6][6];
  UNROLL for (int j = 0; j < a; j++) {
    V d[6], r[6];
    UNROLL for (int i = 0; i < a; i++) d[i] = load(x + i * pitch + j * BLOCK);
    if (m == 4) input4(d, r);
    else input2(d, r);
    UNROLL for (int i = 0; i < a; i++) t[i][j] = r[i];
  }
  UNROLL for (int i = 0; i < a; i++) {
    V r[6];
    if (m == 4) input4(t[i], r);
    else input2(t[i], r);
    UNROLL for (int j = 0; j < a; j++) store(to + (i * a + j) * step, r[j]);
  }
}

// transform_out makes the m×m outputs of one tile.
INLINE void transform_out(const int m, const float *from, size_t step, V y[4][4]) {
  const int a = m + 2;
  V t[4][6];
  UNROLL for (int j = 0; j < a; j++) {
    V d[6], r[4];
    UNROLL for (int i = 0; i < a; i++) d[i] = load(from + (i * a + j) * step);
    if (m == 4) output4(d, r);
    else output2(d, r);
    UNROLL for (int i = 0; i < m; i++) t[i][j] = r[i];
  }
  UNROLL for (int i = 0; i < m; i++) {
    if (m == 4) output4(t[i], y[i]);
    else output2(t[i], y[i]);
  }
}

// steps between frequencies: a line more than the tiles need, or all of a
// tile's frequencies would fall into one set of the cache.
INLINE size_t pitch_of(int blocks, int tiles) { return ((size_t)blocks * tiles + 1) * BLOCK; }

// finish_tile writes one whole tile at (y0, x0) of a plane; how is the
// residual's, which lies at res, or NONE.
enum { NONE = -1 };
INLINE void finish_tile(const int m, const int how, const struct write *o, const float *from, size_t step, V add, int y0, int x0,
                        const float *res, float *y) {
  V out[4][4];
  transform_out(m, from, step, out);
  UNROLL for (int p = 0; p < m; p++)
  UNROLL for (int q = 0; q < m; q++) {
    V r = out[p][q] + add;
    if (how == SAME) r += load(res + ((size_t)(y0 + p) * o->w + x0 + q) * BLOCK);
    if (how == UP) r += load(res + ((size_t)(y0 + p) / 2 * (o->w / 2) + (x0 + q) / 2) * BLOCK);
    if (how == DOWN) r += residual_at(o, res, y0 + p, x0 + q);
    store(y + ((size_t)(y0 + p) * o->w + x0 + q) * BLOCK, r);
  }
}

// finish_part writes what lies inside the picture of a tile at its border.
static NOINLINE void finish_part(const int m, const struct write *o, const float *from, size_t step, const float *bias, int y0, int x0,
                                 const float *res, float *y) {
  EACH_LANE(v) {
    V out[4][4], add = load(bias + v);
    if (m == 4) transform_out(4, from + v, step, out);
    else transform_out(2, from + v, step, out);
    for (int p = 0; p < m && y0 + p < o->h; p++)
      for (int q = 0; q < m && x0 + q < o->w; q++) {
        V r = out[p][q] + add;
        if (res) r += residual_at(o, res + v, y0 + p, x0 + q);
        store(y + ((size_t)(y0 + p) * o->w + x0 + q) * BLOCK + v, r);
      }
  }
}

INLINE void finish_as(const int m, const int how, const struct conv *c, struct item t, int bh, int bw, int b, const float *from,
                      size_t step) {
  const struct write *o = &c->out;
  float bias[BLOCK] __attribute__((aligned(64)));
  bias_of(o, t.n, b, bias);
  float *y = result(o, t.n, b);
  const float *res = how == NONE ? NULL : residual_plane(o, t.n, b);
  for (int i = 0; i < bh; i++)
    for (int j = 0; j < bw; j++, from += BLOCK) {
      int y0 = (t.y + i) * m, x0 = (t.x + j) * m;
      if (y0 + m > o->h || x0 + m > o->w) finish_part(m, o, from, step, bias, y0, x0, res, y);
      else EACH_LANE(v) finish_tile(m, how, o, from + v, step, load(bias + v), y0, x0, how == NONE ? NULL : res + v, y + v);
    }
}

// finish_tiles transforms the products of output block b back, with bias and
// residual.
INLINE void finish_tiles(const int m, const struct conv *c, struct item t, int bh, int bw, int b, const float *from, size_t step) {
  int how = c->out.residual ? (int)c->out.resample : NONE;
  if (how == NONE) finish_as(m, NONE, c, t, bh, bw, b, from, step);
  else if (how == SAME) finish_as(m, SAME, c, t, bh, bw, b, from, step);
  else if (how == UP) finish_as(m, UP, c, t, bh, bw, b, from, step);
  else finish_as(m, DOWN, c, t, bh, bw, b, from, step);
}

// transform_tiles transforms a prepared window: to blocks×tiles of each
// frequency, which are step apart.
INLINE void transform_tiles(const int m, int blocks, int bh, int bw, int rows, int cols, const float *strip, float *to, size_t step) {
  for (int b = 0; b < blocks; b++)
    for (int i = 0; i < bh; i++)
      for (int j = 0; j < bw; j++, to += BLOCK) {
        const float *x = strip + (((size_t)b * rows + i * m) * cols + j * m) * BLOCK;
        EACH_LANE(l) transform_in(m, x + l, (size_t)cols * BLOCK, to + l, step);
      }
}

// multiply_tiles multiplies every frequency with slice output blocks from b on.
INLINE void multiply_tiles(const int m, const struct conv *c, int tiles, int b, int slice, const float *in, float *out) {
  const int freq = (m + 2) * (m + 2);
  int blocks = (int)c->in.blocks;
  ptrdiff_t off[MOST_BLOCKS];
  for (int i = 0; i < blocks; i++) off[i] = (ptrdiff_t)i * tiles * BLOCK;
  size_t per_block = (size_t)blocks * BLOCK * BLOCK, step = pitch_of(blocks, tiles), out_step = pitch_of(SLICE, tiles);
  struct product g = {.off = off, .segments = blocks, .last = last_depth(&c->in), .start = ZERO, .soon = c->out.blocks * per_block};
  for (int f = 0; f < freq; f++) {
    const float *u = PTR(c->weights) + ((size_t)f * c->out.blocks + b) * per_block;
    float *o = out + f * out_step;
    for (int p = 0; p < slice * BLOCK; p += PANEL) {
      int q = p + VL;
      g.b0 = u + p / BLOCK * per_block + p % BLOCK;
      g.b1 = u + q / BLOCK * per_block + q % BLOCK;
      for (int x = 0; x < tiles;) {
        int count = group(tiles - x);
        g.a = in + f * step + x * BLOCK;
        g.c0 = o + ((size_t)(p / BLOCK) * tiles + x) * BLOCK + p % BLOCK;
        g.c1 = o + ((size_t)(q / BLOCK) * tiles + x) * BLOCK + q % BLOCK;
        int vectors = q < slice * BLOCK ? 2 : 1;
        if (x == 0) gemm_soon(vectors, count, &g);
        else gemm(vectors, 1, count, &g);
        x += count;
      }
    }
  }
}

#define STAGES(M) \
  static NOINLINE void transform_tiles##M(int blocks, int bh, int bw, int rows, int cols, const float *strip, float *to, size_t step) { \
    transform_tiles(M, blocks, bh, bw, rows, cols, strip, to, step); \
  } \
  static NOINLINE void multiply_tiles##M(const struct conv *c, int tiles, int b, int slice, const float *in, float *out) { \
    multiply_tiles(M, c, tiles, b, slice, in, out); \
  } \
  static NOINLINE void finish_tiles##M(const struct conv *c, struct item t, int bh, int bw, int b, const float *from, size_t step) { \
    finish_tiles(M, c, t, bh, bw, b, from, step); \
  }
STAGES(2)
STAGES(4)

INLINE void winograd(const int m, const struct conv *c, int64_t from, int64_t to, float *scratch) {
  int blocks = (int)c->in.blocks;
  int rows = (int)c->bh * m + 2, cols = (int)c->bw * m + 2;
  int th = (int)(c->out.h + m - 1) / m, tw = (int)(c->out.w + m - 1) / m;
  float *line = scratch + c->line, *strip = scratch + c->strip, *in = scratch + c->input, *out = scratch + c->output;
  int prepared_n = -1, prepared_y = -1, prepared_x = -1;
  for (int64_t i = from; i < to; i++) {
    struct item t = item_of(c, i);
    int bh = least((int)c->bh, th - t.y), bw = least((int)c->bw, tw - t.x), tiles = bh * bw;
    if (t.n != prepared_n || t.y != prepared_y || t.x != prepared_x) {
      prepare(&c->in, t.n, 0, blocks, t.y * m - 1, rows, t.x * m - 1, cols, strip, line);
      size_t step = pitch_of(blocks, tiles);
      m == 4 ? transform_tiles4(blocks, bh, bw, rows, cols, strip, in, step) : transform_tiles2(blocks, bh, bw, rows, cols, strip, in, step);
      prepared_n = t.n, prepared_y = t.y, prepared_x = t.x;
    }
    for (int b = t.b0; b < t.b1; b += SLICE) {
      int slice = least(SLICE, t.b1 - b);
      m == 4 ? multiply_tiles4(c, tiles, b, slice, in, out) : multiply_tiles2(c, tiles, b, slice, in, out);
      for (int s = 0; s < slice; s++) {
        const float *from = out + (size_t)s * tiles * BLOCK;
        size_t step = pitch_of(SLICE, tiles);
        m == 4 ? finish_tiles4(c, t, bh, bw, b + s, from, step) : finish_tiles2(c, t, bh, bw, b + s, from, step);
      }
    }
  }
}

static void conv_winograd4(const struct conv *c, int64_t from, int64_t to, float *scratch) { winograd(4, c, from, to, scratch); }
static void conv_winograd2(const struct conv *c, int64_t from, int64_t to, float *scratch) { winograd(2, c, from, to, scratch); }
