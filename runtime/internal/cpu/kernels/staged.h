// Winograd for many channels, stage by stage over all threads: the transforms
// of a stage's tiles do not fit a core's cache, so every frequency's product is
// done at once, with its weights read once. Weights that are not kept
// transformed are transformed here, a slice of outputs at a time.

struct staged {
  struct conv c;          // items are blocks of bh×bw tiles
  int64_t tile;           // m
  int64_t first, count;   // the stage's items
  int64_t b0, b1;         // the slice's output blocks
  int64_t u, v, m;        // transformed weights, inputs, products
  int64_t u_step;         // floats between frequencies of u
  int64_t u_block;        // floats between output blocks of u
  int64_t group;          // output blocks of one item of multiply
};

INLINE int stage_tiles(const struct staged *s) { return (int)(s->count * s->c.bh * s->c.bw); }

// stage_weights: item i is an input block of an output block of the slice.
INLINE void stage_weights_m(const int m, const struct staged *s, int64_t from, int64_t to) {
  int64_t blocks = s->c.in.blocks;
  float g[9 * BLOCK] __attribute__((aligned(64)));
  for (int64_t i = from; i < to; i++) {
    int64_t ob = i / blocks, ib = i % blocks;
    size_t at = ((s->b0 + ob) * blocks + ib) * 9 * BLOCK * BLOCK;
    float *u = PTR(s->u) + ob * s->u_block + ib * BLOCK * BLOCK;
    for (int c = 0; c < BLOCK; c++) {
      EACH_LANE(v) {
        for (int t = 0; t < 9; t++) store(g + t * BLOCK + v, expand(s->c.weights, s->c.type, at + (t * BLOCK + c) * BLOCK + v));
        filter(m, g + v, u + c * BLOCK + v, s->u_step);
      }
    }
  }
}

static void stage_weights(const struct staged *s, int64_t from, int64_t to) {
  s->tile == 4 ? stage_weights_m(4, s, from, to) : stage_weights_m(2, s, from, to);
}

// stage_input: item i is an input block of an item of the convolution.
static void stage_input(const struct staged *s, int64_t from, int64_t to, float *scratch) {
  const struct conv *c = &s->c;
  int m = (int)s->tile, blocks = (int)c->in.blocks, tiles = stage_tiles(s);
  int th = (int)(c->out.h + m - 1) / m, tw = (int)(c->out.w + m - 1) / m;
  int rows = (int)c->bh * m + 2, cols = (int)c->bw * m + 2;
  float *line = scratch + c->line, *strip = scratch + c->strip;
  size_t step = pitch_of(blocks, tiles);
  for (int64_t i = from; i < to; i++) {
    int64_t j = i / blocks;
    int b = (int)(i % blocks);
    struct item t = item_of(c, s->first + j);
    int bh = least((int)c->bh, th - t.y), bw = least((int)c->bw, tw - t.x);
    prepare(&c->in, t.n, b, b + 1, t.y * m - 1, rows, t.x * m - 1, cols, strip, line);
    float *v = PTR(s->v) + ((size_t)b * tiles + j * c->bh * c->bw) * BLOCK;
    m == 4 ? transform_tiles4(1, bh, bw, rows, cols, strip, v, step) : transform_tiles2(1, bh, bw, rows, cols, strip, v, step);
  }
}

// stage_multiply: item i is a group of output blocks at one frequency.
static void stage_multiply(const struct staged *s, int64_t from, int64_t to, float *scratch) {
  const struct conv *c = &s->c;
  int blocks = (int)c->in.blocks, outs = (int)(s->b1 - s->b0), tiles = stage_tiles(s);
  int groups = (int)((outs + s->group - 1) / s->group);
  size_t step = pitch_of(blocks, tiles), out_step = pitch_of(outs, tiles);
  ptrdiff_t *off = (ptrdiff_t *)scratch;
  for (int b = 0; b < blocks; b++) off[b] = (ptrdiff_t)b * tiles * BLOCK;
  struct product g = {.off = off, .segments = blocks, .last = last_depth(&c->in), .start = ZERO};
  for (int64_t i = from; i < to; i++) {
    int64_t f = i / groups;
    int k0 = (int)(i % groups * s->group), k1 = least(outs, (int)(k0 + s->group));
    const float *u = PTR(s->u) + f * s->u_step;
    float *o = PTR(s->m) + f * out_step;
    for (int p = k0 * BLOCK; p < k1 * BLOCK; p += PANEL) {
      int q = p + VL;
      g.b0 = u + p / BLOCK * s->u_block + p % BLOCK;
      g.b1 = u + q / BLOCK * s->u_block + q % BLOCK;
      for (int x = 0; x < tiles;) {
        int rows = group(tiles - x);
        g.a = PTR(s->v) + f * step + x * BLOCK;
        g.c0 = o + ((size_t)(p / BLOCK) * tiles + x) * BLOCK + p % BLOCK;
        g.c1 = o + ((size_t)(q / BLOCK) * tiles + x) * BLOCK + q % BLOCK;
        if (p == k0 * BLOCK) gemm_far(q < k1 * BLOCK ? 2 : 1, rows, &g);
        else gemm(q < k1 * BLOCK ? 2 : 1, 1, rows, &g);
        x += rows;
      }
    }
  }
}

// stage_output: item i is an output block of an item of the convolution.
static void stage_output(const struct staged *s, int64_t from, int64_t to) {
  const struct conv *c = &s->c;
  int m = (int)s->tile, outs = (int)(s->b1 - s->b0), tiles = stage_tiles(s);
  int th = (int)(c->out.h + m - 1) / m, tw = (int)(c->out.w + m - 1) / m;
  size_t step = pitch_of(outs, tiles);
  for (int64_t i = from; i < to; i++) {
    int64_t j = i / outs;
    int b = (int)(i % outs);
    struct item t = item_of(c, s->first + j);
    int bh = least((int)c->bh, th - t.y), bw = least((int)c->bw, tw - t.x);
    const float *p = PTR(s->m) + ((size_t)b * tiles + j * c->bh * c->bw) * BLOCK;
    m == 4 ? finish_tiles4(c, t, bh, bw, (int)s->b0 + b, p, step) : finish_tiles2(c, t, bh, bw, (int)s->b0 + b, p, step);
  }
}
