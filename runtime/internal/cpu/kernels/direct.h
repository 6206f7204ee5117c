// Convolution as an implicit matrix product: the input window of a work item
// is prepared once, and every tap reads it in place.

// offsets of the segments: tap by tap inside a block of channels.
static void direct_offsets(const struct conv *c, int n, int cols, int rows, ptrdiff_t *off) {
  int k = (int)c->kernel, s = 0;
  if (c->flat) {
    const struct read *r = &c->in;
    for (int b = 0; b < r->blocks; b++) off[s++] = plane(r, n, b) - plane(r, n, 0);
    return;
  }
  for (int b = 0; b < c->in.blocks; b++)
    for (int u = 0; u < k; u++)
      for (int v = 0; v < k; v++) off[s++] = (((ptrdiff_t)b * rows + u) * cols + v) * BLOCK;
}

// EXPANDED is how many segments of a panel's narrow weights are made float32
// at a time, in the worker's scratch.
#define EXPANDED 64

// panel points g at the weights of outputs p and p+VL, segments s0 … s1.
INLINE void panel(const struct conv *c, struct product *g, int p, int segments, int s0, int s1, int vectors, float *room) {
  const size_t segment = BLOCK * BLOCK;
  size_t per_block = (size_t)segments * segment;
  for (int u = 0; u < vectors; u++) {
    int k = p + u * VL;
    size_t at = k / BLOCK * per_block + s0 * segment + k % BLOCK;
    const float *b = PTR(c->weights) + at;
    if (c->type != F32) {
      float *to = room + u * EXPANDED * segment;
      b = to;
      for (size_t i = 0; i < (s1 - s0) * segment; i += BLOCK) store(to + i, expand(c->weights, c->type, at + i));
    }
    if (u == 0) g->b0 = b;
    else g->b1 = b;
  }
}

static void conv_direct(const struct conv *c, int64_t from, int64_t to, float *scratch) {
  int k = (int)c->kernel, stride = (int)c->stride, pad = k / 2;
  int rows = (int)((c->bh - 1) * stride + k), cols = (int)((c->bw - 1) * stride + k);
  float *line = scratch + c->line, *strip = scratch + c->strip, *bias = scratch + c->input;
  float *room = scratch + c->output;
  ptrdiff_t *off = (ptrdiff_t *)(c->type == F32 ? room : room + 2 * EXPANDED * BLOCK * BLOCK);
  int segments = (int)(c->in.blocks * k * k), chunk = c->type == F32 ? segments : EXPANDED;
  int prepared_n = -1, prepared_y = -1, prepared_x = -1;
  for (int64_t i = from; i < to; i++) {
    struct item t = item_of(c, i);
    if (t.n != prepared_n) direct_offsets(c, t.n, cols, rows, off);
    if (t.n != prepared_n || t.y != prepared_y || t.x != prepared_x) {
      if (!c->flat) prepare(&c->in, t.n, 0, (int)c->in.blocks, t.y * stride - pad, rows, t.x * stride - pad, cols, strip, line);
      prepared_n = t.n, prepared_y = t.y, prepared_x = t.x;
    }
    for (int b = t.b0; b < t.b1; b++) bias_of(&c->out, t.n, b, bias + (b - t.b0) * BLOCK);
    int h = least((int)c->bh, (int)c->out.h - t.y), w = least((int)c->bw, (int)c->out.w - t.x);
    for (int p = t.b0 * BLOCK; p < t.b1 * BLOCK; p += PANEL) {
      int q = p + VL, vectors = q < t.b1 * BLOCK ? 2 : 1;
      for (int s = 0; s < segments; s += chunk) {
        int s1 = least(segments, s + chunk);
        struct product g = {.off = off + s, .segments = s1 - s, .last = BLOCK, .start = s ? ACCUMULATE : INIT};
        if (k == 1 && s1 == segments) g.last = last_depth(&c->in);
        panel(c, &g, p, segments, s, s1, vectors, room);
        g.init0 = bias + p - t.b0 * BLOCK;
        g.init1 = g.init0 + VL;
        for (int y = 0; y < h; y++) {
          for (int x = 0; x < w;) {
            int count = group(w - x);
            if (c->flat) g.a = plane(&c->in, t.n, 0) + (t.x + x) * BLOCK;
            else g.a = strip + ((size_t)y * stride * cols + x * stride) * BLOCK;
            size_t at = ((size_t)(t.y + y) * c->out.w + t.x + x) * BLOCK;
            g.c0 = result(&c->out, t.n, p / BLOCK) + at + p % BLOCK;
            g.c1 = result(&c->out, t.n, q / BLOCK) + at + q % BLOCK;
            if (c->flat && p == t.b0 * BLOCK) gemm_far(vectors, count, &g);
            else gemm(vectors, stride, count, &g);
            if (c->out.residual && s1 == segments) {
              add_residual(&c->out, t.n, p / BLOCK, p % BLOCK, VL, t.y + y, t.x + x, count, g.c0);
              if (vectors == 2) add_residual(&c->out, t.n, q / BLOCK, q % BLOCK, VL, t.y + y, t.x + x, count, g.c1);
            }
            x += count;
          }
        }
      }
    }
  }
}
