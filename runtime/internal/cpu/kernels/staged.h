// Winograd for many channels, stage by stage over all threads. The inputs of a
// stage's tiles are transformed; what follows depends on how many there are.
// Many do not fit a core's cache: weights are transformed, a slice of outputs at
// a time, then every frequency's product is done at once, so that its weights
// are read once, then the outputs. With few, weights are most of what moves: an
// item transforms those of a pair of output blocks piece by piece in the cache,
// multiplies, and transforms back.

struct staged {
  struct conv c;          // items are blocks of bh×bw tiles
  int64_t tile;           // m
  int64_t first, count;   // the stage's items
  int64_t b0, b1;         // the slice's output blocks
  int64_t u, v, m;        // transformed weights, inputs, products
  int64_t u_step;         // floats between frequencies of u
  int64_t u_block;        // floats between output blocks of u
  int64_t group;          // output blocks of one item of stage_multiply; the convolution's items in one of stage_products
  int64_t piece;          // input blocks whose weights stage_products transforms at a time
};

INLINE int stage_tiles(const struct staged *s) { return (int)(s->count * s->c.bh * s->c.bw); }

// transform_weights transforms 16 inputs' filters of 16 outputs; at is the place
// of the segment of their first tap, soon that of those to be transformed next,
// which are fetched by hand: nine short streams are none to a processor.
INLINE void transform_weights(const int m, const struct conv *c, size_t at, size_t soon, float *u, size_t u_step) {
  float g[9 * BLOCK] __attribute__((aligned(64)));
  for (int i = 0; i < BLOCK; i++) EACH_LANE(v) {
    for (int t = 0; v == 0 && t < 9; t++) fetch(c->weights, c->type, soon + (t * BLOCK + i) * BLOCK);
    for (int t = 0; t < 9; t++) store(g + t * BLOCK + v, expand(c->weights, c->type, at + (t * BLOCK + i) * BLOCK + v));
    filter(m, g + v, u + i * BLOCK + v, u_step);
  }
}
static NOINLINE void transform_weights4(const struct conv *c, size_t at, size_t soon, float *u, size_t u_step) {
  transform_weights(4, c, at, soon, u, u_step);
}
static NOINLINE void transform_weights2(const struct conv *c, size_t at, size_t soon, float *u, size_t u_step) {
  transform_weights(2, c, at, soon, u, u_step);
}

// stage_weights: item i is an input block of an output block of the slice.
static void stage_weights(const struct staged *s, int64_t from, int64_t to) {
  int64_t blocks = s->c.in.blocks;
  for (int64_t i = from; i < to; i++) {
    size_t at = (s->b0 * blocks + i) * 9 * BLOCK * BLOCK;
    float *u = PTR(s->u) + i / blocks * s->u_block + i % blocks * BLOCK * BLOCK;
    size_t soon = at + 9 * BLOCK * BLOCK;
    s->tile == 4 ? transform_weights4(&s->c, at, soon, u, s->u_step) : transform_weights2(&s->c, at, soon, u, s->u_step);
  }
}

// stage_input: item i is an item of the convolution of an input block: outputs
// were written block by block too, so a thread reads what it wrote.
static void stage_input(const struct staged *s, int64_t from, int64_t to, float *scratch) {
  const struct conv *c = &s->c;
  int m = (int)s->tile, blocks = (int)c->in.blocks, tiles = stage_tiles(s);
  int th = (int)(c->out.h + m - 1) / m, tw = (int)(c->out.w + m - 1) / m;
  int rows = (int)c->bh * m + 2, cols = (int)c->bw * m + 2;
  float *line = scratch + c->line, *strip = scratch + c->strip;
  size_t step = pitch_of(blocks, tiles);
  for (int64_t i = from; i < to; i++) {
    int64_t j = i % s->count;
    int b = (int)(i / s->count);
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

// stage_products: item i is a pair of output blocks of a group of the
// convolution's items.
static void stage_products(const struct staged *s, int64_t from, int64_t to, float *scratch) {
  const struct conv *c = &s->c;
  int m = (int)s->tile, freq = (m + 2) * (m + 2), blocks = (int)c->in.blocks, tiles = stage_tiles(s), each = (int)(c->bh * c->bw);
  int th = (int)(c->out.h + m - 1) / m, tw = (int)(c->out.w + m - 1) / m, piece = (int)s->piece;
  int64_t pairs = (c->out.blocks + SLICE - 1) / SLICE;
  size_t step = pitch_of(blocks, tiles), per_block = (size_t)piece * BLOCK * BLOCK, u_step = SLICE * per_block + BLOCK;
  float *u = scratch, *products = u + freq * u_step;
  ptrdiff_t off[MOST_BLOCKS];
  for (int b = 0; b < piece; b++) off[b] = (ptrdiff_t)b * tiles * BLOCK;
  for (int64_t i = from; i < to; i++) {
    int64_t first = i / pairs * s->group;
    int b0 = (int)(i % pairs) * SLICE, slice = least(SLICE, (int)c->out.blocks - b0);
    int items = least((int)s->group, (int)(s->count - first)), now = items * each;
    size_t out_step = pitch_of(SLICE, now);
    for (int k = 0; k < blocks; k += piece) {
      int depth = least(piece, blocks - k);
      for (int o = 0; o < slice; o++)
        for (int b = 0; b < depth; b++) {
          const size_t filters = 9 * BLOCK * BLOCK;
          size_t at = ((size_t)(b0 + o) * blocks + k + b) * filters, soon = at + filters;
          if (b == depth - 1) soon = o < slice - 1 ? at + (blocks - b) * filters : ((size_t)b0 * blocks + k + depth) * filters;
          float *to = u + o * per_block + b * BLOCK * BLOCK;
          m == 4 ? transform_weights4(c, at, soon, to, u_step) : transform_weights2(c, at, soon, to, u_step);
        }
      struct product g = {.off = off, .segments = depth, .last = k + depth < blocks ? BLOCK : last_depth(&c->in), .start = k ? ACCUMULATE : ZERO};
      for (int f = 0; f < freq; f++) {
        const float *v = PTR(s->v) + f * step + ((size_t)k * tiles + first * each) * BLOCK;
        for (int p = 0; p < slice * BLOCK; p += PANEL) {
          int q = p + VL;
          g.b0 = u + f * u_step + p / BLOCK * per_block + p % BLOCK;
          g.b1 = u + f * u_step + q / BLOCK * per_block + q % BLOCK;
          for (int x = 0; x < now;) {
            int rows = group(now - x);
            g.a = v + x * BLOCK;
            g.c0 = products + f * out_step + ((size_t)(p / BLOCK) * now + x) * BLOCK + p % BLOCK;
            g.c1 = products + f * out_step + ((size_t)(q / BLOCK) * now + x) * BLOCK + q % BLOCK;
            if (p == 0) gemm_far(q < slice * BLOCK ? 2 : 1, rows, &g);
            else gemm(q < slice * BLOCK ? 2 : 1, 1, rows, &g);
            x += rows;
          }
        }
      }
    }
    for (int j = 0; j < items; j++) {
      struct item t = item_of(c, s->first + first + j);
      int bh = least((int)c->bh, th - t.y), bw = least((int)c->bw, tw - t.x);
      for (int o = 0; o < slice; o++) {
        const float *p = products + ((size_t)o * now + j * each) * BLOCK;
        m == 4 ? finish_tiles4(c, t, bh, bw, b0 + o, p, out_step) : finish_tiles2(c, t, bh, bw, b0 + o, p, out_step);
      }
    }
  }
}
