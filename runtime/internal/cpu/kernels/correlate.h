// The gradient by weights: products of inputs and gradients by outputs, summed
// over positions. They are pixels, or Winograd's tiles at each of 36
// frequencies, since
//
//   y = Aᵀ [U ⊙ V] A   gives   ∂U = Σ V ⊙ (A ∂y Aᵀ)   and   ∂g = Gᵀ ∂U G.
//
// Every sum has one order, whatever the number of threads.

struct correlate {
  // Inputs: blocks of 16 channels, `count` positions of each sample on end; the
  // second tensor has the blocks from blocks0 on.
  int64_t v0, v1, blocks0;
  int64_t v_step, v_block, v_sample0, v_sample1;  // floats between frequencies, blocks, samples
  int64_t m, m_step, m_block, m_sample;           // gradients by outputs
  int64_t u, u_step, u_out, u_in;                 // sums: 16 inputs × 16 outputs a pair of blocks
  int64_t frequencies, samples, count;
  int64_t in, in_blocks, out_blocks;              // in is channels
  int64_t group_in, group_out;                    // blocks of an item
  int64_t start;                                  // ZERO, or ACCUMULATE onto u
};

#define POSITIONS 128  // whose vectors stay in the first cache

#if VL == 16
#define RANK 8  // 16 accumulators
#else
#define RANK 4  // 8 accumulators of 16
#endif

// outer adds RANK inputs × N vectors of outputs over positions; inputs and
// rows of c are 16 floats apart.
INLINE void outer(const int N, const float *a, const float *b0, const float *b1, int count, int start, float *c0, float *c1) {
  V acc[RANK][2];
  UNROLL for (int r = 0; r < RANK; r++) acc[r][0] = acc[r][1] = splat(0);
  if (start == ACCUMULATE) {
    UNROLL for (int r = 0; r < RANK; r++) {
      acc[r][0] = load(c0 + r * BLOCK);
      if (N > 1) acc[r][1] = load(c1 + r * BLOCK);
    }
  }
  for (int p = 0; p < count; p++, a += BLOCK, b0 += BLOCK, b1 += BLOCK) {
    V w0 = load(b0), w1 = splat(0);
    if (N > 1) w1 = load(b1);
    UNROLL for (int r = 0; r < RANK; r++) {
      V x = splat(a[r]);
      acc[r][0] = madd(x, w0, acc[r][0]);
      if (N > 1) acc[r][1] = madd(x, w1, acc[r][1]);
    }
  }
  UNROLL for (int r = 0; r < RANK; r++) {
    store(c0 + r * BLOCK, acc[r][0]);
    if (N > 1) store(c1 + r * BLOCK, acc[r][1]);
  }
}

static NOINLINE void outer1(const float *a, const float *b, int count, int start, float *c) { outer(1, a, b, b, count, start, c, c); }
static NOINLINE void outer2(const float *a, const float *b0, const float *b1, int count, int start, float *c0, float *c1) {
  outer(2, a, b0, b1, count, start, c0, c1);
}

// correlate: item i is a group of inputs × a group of outputs at a frequency.
static void correlate(const struct correlate *k, int64_t from, int64_t to) {
  int64_t ins = (k->in_blocks + k->group_in - 1) / k->group_in, outs = (k->out_blocks + k->group_out - 1) / k->group_out;
  for (int64_t i = from; i < to; i++) {
    int64_t f = i / ins / outs;
    int i0 = (int)(i % ins * k->group_in), i1 = least(i0 + (int)k->group_in, (int)k->in_blocks);
    int o0 = (int)(i / ins % outs * k->group_out), o1 = least(o0 + (int)k->group_out, (int)k->out_blocks);
    for (int64_t n = 0; n < k->samples; n++)
      for (int64_t at = 0; at < k->count; at += POSITIONS) {
        int count = (int)(k->count - at < POSITIONS ? k->count - at : POSITIONS);
        int start = n == 0 && at == 0 ? (int)k->start : ACCUMULATE;
        for (int p = o0 * BLOCK; p < o1 * BLOCK; p += PANEL) {
          int q = p + VL, two = q < o1 * BLOCK;
          const float *m = PTR(k->m) + f * k->m_step + n * k->m_sample + at * BLOCK;
          const float *b0 = m + p / BLOCK * k->m_block + p % BLOCK, *b1 = m + q / BLOCK * k->m_block + q % BLOCK;
          for (int b = i0; b < i1; b++) {
            const float *v = b < k->blocks0 ? PTR(k->v0) + n * k->v_sample0 + b * k->v_block
                                            : PTR(k->v1) + n * k->v_sample1 + (b - k->blocks0) * k->v_block;
            v += f * k->v_step + at * BLOCK;
            float *u = PTR(k->u) + f * k->u_step + b * k->u_in;
            float *c0 = u + p / BLOCK * k->u_out + p % BLOCK, *c1 = u + q / BLOCK * k->u_out + q % BLOCK;
            int channels = k->start == ZERO ? BLOCK : least(BLOCK, (int)k->in - b * BLOCK);
            for (int r = 0; r < channels; r += RANK) {
              if (two) outer2(v + r, b0, b1, count, start, c0 + r * BLOCK, c1 + r * BLOCK);
              else outer1(v + r, b0, count, start, c0 + r * BLOCK);
            }
          }
        }
      }
  }
}

// idle makes the tiles of an item that are not there zero at every frequency.
INLINE void idle(float *to, size_t step, int there, int tiles) {
  for (int f = 0; f < 36; f++)
    if (there < tiles) fill(to + f * step + there * BLOCK, tiles - there);
}

// learn_input is stage_input for F(4,3) whose missing tiles count as zero.
static void learn_input(const struct staged *s, int64_t from, int64_t to, float *scratch) {
  const struct conv *c = &s->c;
  int blocks = (int)c->in.blocks, tiles = stage_tiles(s), each = (int)(c->bh * c->bw);
  int th = (int)(c->out.h + 3) / 4, tw = (int)(c->out.w + 3) / 4;
  int rows = (int)c->bh * 4 + 2, cols = (int)c->bw * 4 + 2;
  float *line = scratch + c->line, *strip = scratch + c->strip;
  size_t step = pitch_of(blocks, tiles);
  for (int64_t i = from; i < to; i++) {
    int64_t j = i / blocks;
    int b = (int)(i % blocks);
    struct item t = item_of(c, s->first + j);
    int bh = least((int)c->bh, th - t.y), bw = least((int)c->bw, tw - t.x);
    prepare(&c->in, t.n, b, b + 1, t.y * 4 - 1, rows, t.x * 4 - 1, cols, strip, line);
    float *v = PTR(s->v) + ((size_t)b * tiles + j * each) * BLOCK;
    transform_tiles4(1, bh, bw, rows, cols, strip, v, step);
    idle(v, step, bh * bw, each);
  }
}

// output4_back is A·d for one column.
INLINE void output4_back(const V *d, V *m) {
  V a = d[0] + d[2], b = d[1] + d[3], e = d[0] + 4.0f * d[2], f = 2.0f * d[1] + 8.0f * d[3];
  m[0] = d[0];
  m[1] = a + b;
  m[2] = a - b;
  m[3] = e + f;
  m[4] = e - f;
  m[5] = d[3];
}

// gradient_tile makes the frequencies of one tile of a plane of gradients by
// outputs; inside tells that all of it is.
INLINE void gradient_tile(const int inside, const struct write *o, const float *d, int y, int x, float *to, size_t step) {
  V r[6][4];
  UNROLL for (int q = 0; q < 4; q++) {
    V e[4], u[6];
    UNROLL for (int p = 0; p < 4; p++)
      e[p] = inside || (y + p < o->h && x + q < o->w) ? load(d + ((size_t)(y + p) * o->w + x + q) * BLOCK) : splat(0);
    output4_back(e, u);
    UNROLL for (int p = 0; p < 6; p++) r[p][q] = u[p];
  }
  UNROLL for (int p = 0; p < 6; p++) {
    V u[6];
    output4_back(r[p], u);
    UNROLL for (int q = 0; q < 6; q++) store(to + (p * 6 + q) * step, u[q]);
  }
}

// gradient_tiles does so for bh×bw tiles of output block b, from (y, x) on.
static NOINLINE void gradient_tiles(const struct write *o, struct item t, int bh, int bw, int b, float *m, size_t step) {
  const float *d = result(o, t.n, b);
  for (int y = t.y * 4; y < (t.y + bh) * 4; y += 4)
    for (int x = t.x * 4; x < (t.x + bw) * 4; x += 4, m += BLOCK) {
      if (y + 4 <= o->h && x + 4 <= o->w) EACH_LANE(v) gradient_tile(1, o, d + v, y, x, m + v, step);
      else EACH_LANE(v) gradient_tile(0, o, d + v, y, x, m + v, step);
    }
}

// learn_output transforms gradients by outputs, which lie at c.out.y; item i
// is an output block of an item of the convolution.
static void learn_output(const struct staged *s, int64_t from, int64_t to) {
  const struct conv *c = &s->c;
  int blocks = (int)c->out.blocks, tiles = stage_tiles(s), each = (int)(c->bh * c->bw);
  int th = (int)(c->out.h + 3) / 4, tw = (int)(c->out.w + 3) / 4;
  size_t step = pitch_of(blocks, tiles);
  for (int64_t i = from; i < to; i++) {
    int64_t j = i / blocks;
    int b = (int)(i % blocks);
    struct item t = item_of(c, s->first + j);
    int bh = least((int)c->bh, th - t.y), bw = least((int)c->bw, tw - t.x);
    float *m = PTR(s->m) + ((size_t)b * tiles + j * each) * BLOCK;
    gradient_tiles(&c->out, t, bh, bw, b, m, step);
    idle(m, step, bh * bw, each);
  }
}

// learn_tiles does all of it for few channels, whose transforms and sums stay
// in a core's own cache. Item i is one of `slots` runs of the convolution's
// items, which has sums of its own.
struct learn_tiles {
  struct conv c;
  int64_t items, slots;
  int64_t u, u_slot, u_step;
};

static void learn_tiles(const struct learn_tiles *k, int64_t from, int64_t to, float *scratch) {
  const struct conv *c = &k->c;
  int ins = (int)c->in.blocks, outs = (int)c->out.blocks;
  int th = (int)(c->out.h + 3) / 4, tw = (int)(c->out.w + 3) / 4;
  int rows = (int)c->bh * 4 + 2, cols = (int)c->bw * 4 + 2;
  float *line = scratch + c->line, *strip = scratch + c->strip, *v = scratch + c->input, *m = scratch + c->output;
  for (int64_t i = from; i < to; i++) {
    struct correlate a = {.v0 = (intptr_t)v, .blocks0 = ins, .m = (intptr_t)m, .u = k->u + i * k->u_slot * 4, .u_step = k->u_step,
                          .u_out = (int64_t)ins * BLOCK * BLOCK, .u_in = BLOCK * BLOCK, .frequencies = 36, .samples = 1, .in = c->in.channels,
                          .in_blocks = ins, .out_blocks = outs, .group_in = ins, .group_out = outs, .start = ZERO};
    for (int64_t j = i * k->items / k->slots; j < (i + 1) * k->items / k->slots; j++) {
      struct item t = item_of(c, j);
      int bh = least((int)c->bh, th - t.y), bw = least((int)c->bw, tw - t.x), tiles = bh * bw;
      a.count = tiles;
      a.v_block = a.m_block = tiles * BLOCK;
      a.v_step = pitch_of(ins, tiles), a.m_step = pitch_of(outs, tiles);
      for (int b = 0; b < ins; b++) {
        prepare(&c->in, t.n, b, b + 1, t.y * 4 - 1, rows, t.x * 4 - 1, cols, strip, line);
        transform_tiles4(1, bh, bw, rows, cols, strip, v + b * a.v_block, a.v_step);
      }
      for (int b = 0; b < outs; b++) gradient_tiles(&c->out, t, bh, bw, b, m + b * a.m_block, a.m_step);
      correlate(&a, 0, 36);
      a.start = ACCUMULATE;
    }
  }
}

// filter4_back is Gᵀ·u for one column.
INLINE void filter4_back(const V *u, V *g) {
  V a = u[1] + u[2], b = u[2] - u[1], c = u[3] + u[4], d = u[3] - u[4];
  g[0] = 0.25f * u[0] + (c * (1.0f / 24) - a * (1.0f / 6));
  g[1] = b * (1.0f / 6) + d * (1.0f / 12);
  g[2] = (c - a) * (1.0f / 6) + u[5];
}

struct learn_filter {
  int64_t u, u_step;
  int64_t slots, u_slot;  // of which the sum is taken
  int64_t y;  // gradients by weights in segments of 16×16, added to
};

// learn_filter: item i is a pair of blocks, the inputs changing faster.
static void learn_filter(const struct learn_filter *k, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++)
    for (int at = 0; at < BLOCK * BLOCK; at += VL) {
      const float *u = PTR(k->u) + i * BLOCK * BLOCK + at;
      float *y = PTR(k->y) + i * 9 * BLOCK * BLOCK + at;
      V t[3][6];
      UNROLL for (int q = 0; q < 6; q++) {
        V e[6], r[3];
        UNROLL for (int p = 0; p < 6; p++) {
          const float *from = u + (p * 6 + q) * k->u_step;
          e[p] = load(from);
          for (int64_t n = 1; n < k->slots; n++) e[p] += load(from + n * k->u_slot);
        }
        filter4_back(e, r);
        UNROLL for (int p = 0; p < 3; p++) t[p][q] = r[p];
      }
      UNROLL for (int p = 0; p < 3; p++) {
        V r[3];
        filter4_back(t[p], r);
        UNROLL for (int q = 0; q < 3; q++) {
          float *g = y + (3 * p + q) * BLOCK * BLOCK;
          store(g, load(g) + r[q]);
        }
      }
    }
}

// learn_taps lays out what each tap of a direct convolution reads: V is
// taps×blocks×samples×pixels of a band of rows. Item i is a block of a sample.
struct learn_taps {
  struct conv c;
  int64_t first, samples;  // samples of the band
  int64_t y0, rows;        // output rows
  int64_t v;
};

static void learn_taps(const struct learn_taps *k, int64_t from, int64_t to, float *scratch) {
  const struct conv *c = &k->c;
  int size = (int)c->kernel, stride = (int)c->stride, w = (int)c->out.w, blocks = (int)c->in.blocks;
  int rows = ((int)k->rows - 1) * stride + size, cols = (w - 1) * stride + size;
  float *strip = scratch + c->strip;
  for (int64_t i = from; i < to; i++) {
    int b = (int)(i / k->samples), n = (int)(i % k->samples);
    prepare(&c->in, (int)k->first + n, b, b + 1, (int)k->y0 * stride - size / 2, rows, -(size / 2), cols, strip, scratch + c->line);
    for (int tap = 0; tap < size * size; tap++) {
      float *v = PTR(k->v) + (((size_t)tap * blocks + b) * k->samples + n) * k->rows * w * BLOCK;
      for (int y = 0; y < k->rows; y++)
        for (int x = 0; x < w; x++, v += BLOCK)
          copy(v, strip + ((size_t)(y * stride + tap / size) * cols + x * stride + tap % size) * BLOCK, 1);
    }
  }
}
