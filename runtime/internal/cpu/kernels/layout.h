// Between the caller's planar tensors and blocks of channels, and what no
// other operator could take over.

struct planar {
  int64_t x, y;
  int64_t n, channels, area;
};

// import turns N×C×area into blocks; item i is a block of a sample.
static void import(const struct planar *p, int64_t from, int64_t to) {
  int64_t blocks = (p->channels + BLOCK - 1) / BLOCK;
  for (int64_t i = from; i < to; i++) {
    int64_t n = i / blocks, b = i % blocks;
    float *y = PTR(p->y) + i * p->area * BLOCK;
    for (int k = 0; k < BLOCK; k++) {
      int64_t c = b * BLOCK + k;
      const float *x = PTR(p->x) + (n * p->channels + c) * p->area;
      for (int64_t j = 0; j < p->area; j++) y[j * BLOCK + k] = c < p->channels ? x[j] : 0;
    }
  }
}

// export is its inverse; item i is a channel of a sample.
static void export(const struct planar *p, int64_t from, int64_t to) {
  int64_t blocks = (p->channels + BLOCK - 1) / BLOCK;
  for (int64_t i = from; i < to; i++) {
    int64_t n = i / p->channels, c = i % p->channels;
    const float *x = PTR(p->x) + (n * blocks + c / BLOCK) * p->area * BLOCK + c % BLOCK;
    float *y = PTR(p->y) + i * p->area;
    for (int64_t j = 0; j < p->area; j++) y[j] = x[j * BLOCK];
  }
}

struct map {
  struct read in;
  struct write out;
  int64_t n;
  int64_t line;
};

// map is a read and a write with nothing between; item i is a row of a block.
static void map(const struct map *m, int64_t from, int64_t to, float *scratch) {
  for (int64_t i = from; i < to; i++) {
    int row = (int)(i % m->out.h), b = (int)(i / m->out.h % m->out.blocks), n = (int)(i / m->out.h / m->out.blocks);
    float *y = result(&m->out, n, b) + (size_t)row * m->out.w * BLOCK;
    int w = (int)m->out.w;
    prepare_row(&m->in, n, b, row, 0, w, y, scratch + m->line, source(&m->in, n, b, row + 2, 0));
    if (m->out.shift) {
      EACH_LANE(v) {
        V s = load(PTR(m->out.shift) + ((size_t)n * m->out.blocks + b) * BLOCK + v);
        for (int j = 0; j < w; j++) store(y + j * BLOCK + v, load(y + j * BLOCK + v) + s);
      }
    }
    if (m->out.residual) add_residual(&m->out, n, b, 0, BLOCK, row, 0, w, y);
  }
}

struct concat {
  int64_t x0, x1, y;
  int64_t n, c0, c1, area;
};

// concat joins two tensors of which the first does not fill its last block;
// item i is a block of a sample of the result.
static void concat(const struct concat *p, int64_t from, int64_t to) {
  int64_t blocks = (p->c0 + p->c1 + BLOCK - 1) / BLOCK, blocks0 = (p->c0 + BLOCK - 1) / BLOCK, blocks1 = (p->c1 + BLOCK - 1) / BLOCK;
  for (int64_t i = from; i < to; i++) {
    int64_t n = i / blocks;
    for (int k = 0; k < BLOCK; k++) {
      int64_t c = i % blocks * BLOCK + k;
      float *y = PTR(p->y) + i * p->area * BLOCK + k;
      const float *x = NULL;
      if (c < p->c0) x = PTR(p->x0) + (n * blocks0 + c / BLOCK) * p->area * BLOCK + c % BLOCK;
      else if (c < p->c0 + p->c1) x = PTR(p->x1) + (n * blocks1 + (c - p->c0) / BLOCK) * p->area * BLOCK + (c - p->c0) % BLOCK;
      for (int64_t j = 0; j < p->area; j++) y[j * BLOCK] = x ? x[j * BLOCK] : 0;
    }
  }
}
