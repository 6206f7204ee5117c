// The bridge's own work: a window of the state into the network's input, its
// output into x̂0, and the next state. Pictures are planar, C×H×W.

struct window {
  int64_t state, cond, x0;
  int64_t c, h, w;              // of the picture
  int64_t ring, lines;          // x̂0 holds row y at y modulo ring, the condition at y modulo lines
  int64_t y, x, rows, cols;     // the window
  int64_t in, in_blocks, out;   // of the network
  int64_t weight_y, weight_x;   // rows and cols shares of this window in x̂0
  int64_t clip;                 // x̂0 to [-1, 1]
  double sigma;                 // x̂0 = x − σ·y
};

// gather: item i is a row of the window.
static void gather(const struct window *g, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++)
    for (int64_t b = 0; b < g->in_blocks; b++) {
      float *y = PTR(g->in) + ((b * g->rows + i) * g->cols) * BLOCK;
      fill(y, (int)g->cols);
      for (int k = 0; k < BLOCK; k++) {
        int64_t c = b * BLOCK + k;
        if (c >= 2 * g->c || (c >= g->c && !g->cond)) break;
        int64_t row = g->y + i;
        const float *x = c < g->c ? PTR(g->state) + (c * g->h + row) * g->w : PTR(g->cond) + ((c - g->c) * g->lines + row % g->lines) * g->w;
        x += g->x;
        for (int64_t j = 0; j < g->cols; j++) y[j * BLOCK + k] = x[j];
      }
    }
}

// scatter: item i is a row of a channel of the window.
static void scatter(const struct window *g, int64_t from, int64_t to) {
  float sigma = (float)g->sigma;
  for (int64_t i = from; i < to; i++) {
    int64_t c = i / g->rows, r = i % g->rows, at = (c * g->h + g->y + r) * g->w + g->x;
    const float *x = PTR(g->state) + at, *wx = PTR(g->weight_x);
    const float *y = PTR(g->out) + ((c / BLOCK * g->rows + r) * g->cols) * BLOCK + c % BLOCK;
    float *x0 = PTR(g->x0) + (c * g->ring + (g->y + r) % g->ring) * g->w + g->x, wy = PTR(g->weight_y)[r];
    for (int64_t j = 0; j < g->cols; j++) {
      float v = x[j] - sigma * y[j * BLOCK];
      if (g->clip) v = v < -1 ? -1 : v > 1 ? 1 : v;
      x0[j] += wy * wx[j] * v;
    }
  }
}

struct update {
  int64_t x, x0, x1, h0, h1;    // h0, h1: saved combinations, or 0
  int64_t mask;                 // bytes, 255 is a hole; or 0
  int64_t c, h, w, ring, lines; // as in window, x1 like the condition
  int64_t y, rows;              // to update
  int64_t eps, mask_eps;        // recorded noise; 0: Philox's
  int64_t key, step, draw, mask_draw;
  int64_t save, mask_x0;
  int64_t clear;                // x̂0 once it is read
  double cx, c0, c1, ch0, ch1, noise, save_x, save_x0, mask_noise;
};

// philox writes the four words of a counter (Salmon et al., 2011).
INLINE void philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint64_t key, uint32_t *to) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int i = 0; i < 10; i++) {
    uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1, c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  to[0] = c0, to[1] = c1, to[2] = c2, to[3] = c3;
}

// normals writes the standard normal numbers of a row, by Box–Muller on pairs
// of words, and a few more. room takes 2·VL floats.
static void normals(const struct update *u, uint32_t channel, uint32_t y, uint32_t draw, float *to, float *room) {
  int64_t pairs = (u->w + 1) / 2;
  uint32_t words[4 * VL] __attribute__((aligned(64)));
  for (int64_t p = 0; p < pairs; p += VL) {
    float *a = room, *b = room + VL;
    for (int i = 0; i < VL; i += 2) {
      philox((uint32_t)(p + i) / 2, y, channel, draw << 24 | (uint32_t)u->step, (uint64_t)u->key, words);
      a[i] = ((float)(words[0] >> 9) + 0.5f) * 0x1p-23f, b[i] = ((float)(words[1] >> 9) + 0.5f) * 0x1p-23f;
      a[i + 1] = ((float)(words[2] >> 9) + 0.5f) * 0x1p-23f, b[i + 1] = ((float)(words[3] >> 9) + 0.5f) * 0x1p-23f;
    }
    V r = vsqrt(-2.0f * vlog(load(a))), cosine, sine;
    vcircle(load(b), &cosine, &sine);
    store(a, r * cosine);
    store(b, r * sine);
    for (int i = 0; i < VL; i++) to[2 * (p + i)] = a[i], to[2 * (p + i) + 1] = b[i];
  }
}

// advance makes the next state, x ← c0·x̂0 + cx·x + c1·x1 + Σ ch·h + noise·ε;
// item i is a row of those to update of a channel. What there is not points to
// something that may be read: compilers read it with all lanes masked off, and
// processors take hundreds of cycles for that at an address they cannot read.
static void advance(const struct update *u, int64_t from, int64_t to, float *scratch) {
  int64_t some = (u->w + 127) / 64 * 64;
  float *eps = scratch, *none = scratch + some, *room = scratch + 3 * some;
  float cx = (float)u->cx, c0 = (float)u->c0, c1 = (float)u->c1, ch0 = (float)u->ch0, ch1 = (float)u->ch1;
  float noise = (float)u->noise, save_x = (float)u->save_x, save_x0 = (float)u->save_x0, sd = (float)u->mask_noise;
  int save = u->save && u->h0, shift = save && u->h1;
  for (int64_t i = from; i < to; i++) {
    int64_t c = i / u->rows, y = u->y + i % u->rows, at = (c * u->h + y) * u->w;
    float *x = PTR(u->x) + at, *x0 = PTR(u->x0) + (c * u->ring + y % u->ring) * u->w;
    float *h0 = u->h0 ? PTR(u->h0) + at : none, *h1 = u->h1 ? PTR(u->h1) + at : none + some;
    const float *x1 = u->x1 ? PTR(u->x1) + (c * u->lines + y % u->lines) * u->w : x0, *e = u->eps ? PTR(u->eps) + at : eps;
    const uint8_t *mask = u->mask ? (const uint8_t *)(intptr_t)u->mask + y * u->w : NULL;
    if (mask && u->mask_x0)
      for (int64_t j = 0; j < u->w; j++) {
        float m = mask[j] / 255.0f;
        x0[j] = x0[j] * m + x1[j] * (1 - m);
      }
    if (noise != 0 && !u->eps) normals(u, (uint32_t)c, (uint32_t)y, (uint32_t)u->draw, eps, room);
    for (int64_t j = 0; j < u->w; j++) {
      float next = c0 * x0[j] + cx * x[j];
      if (c1 != 0) next += c1 * x1[j];
      if (ch0 != 0) next += ch0 * h0[j];
      if (ch1 != 0) next += ch1 * h1[j];
      if (noise != 0) next += noise * e[j];
      if (save) {
        if (shift) h1[j] = h0[j];
        h0[j] = save_x * x[j] + save_x0 * x0[j];
      }
      x[j] = next;
    }
    for (int64_t j = 0; u->clear && j < u->w; j++) x0[j] = 0;
    if (!mask) continue;
    e = u->mask_eps ? PTR(u->mask_eps) + at : eps;
    if (sd != 0 && !u->mask_eps) normals(u, (uint32_t)c, (uint32_t)y, (uint32_t)u->mask_draw, eps, room);
    for (int64_t j = 0; j < u->w; j++) {
      if (mask[j] == 255) continue;
      float m = mask[j] / 255.0f, known = x1[j];
      if (sd != 0) known += sd * e[j];
      x[j] = (1 - m) * known + m * x[j];
    }
  }
}
