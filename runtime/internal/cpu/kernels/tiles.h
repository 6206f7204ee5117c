// Convolution of stride 1 as an implicit matrix product of bfloat16 tiles, with
// sums in float32. A tile of inputs is 16 pixels × 32 channels, one of weights
// 32 inputs × 16 outputs in pairs of inputs, one of sums 16 pixels × 16 outputs:
// what a row of a block of an activation is.

#define PAIR (2 * BLOCK)        // channels of a tile's row
#define TILE (BLOCK * PAIR)     // bfloat16s of a tile
#define TILED (2 * BLOCK)       // pixels of a turn
#define TILED_FLOATS (TILED * PAIR) // of the sums of a turn

// tiles_begin gives all eight tiles 16 rows of 64 bytes.
INLINE void tiles_begin(void) {
  struct {
    uint8_t palette, start, none[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } __attribute__((packed)) shape = {.palette = 1};
  for (int i = 0; i < 8; i++) shape.bytes[i] = 64, shape.rows[i] = 16;
  _tile_loadconfig(&shape);
}

// round16 is two vectors of float32 as bfloat16, rounded to even.
INLINE void round16(uint16_t *to, V low, V high) {
  *(__m512i_u *)to = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
}

// prepare_tiles is prepare in pairs of blocks of bfloat16; what a last block
// lacks to a pair is zero. line has room for two rows more.
static void prepare_tiles(const struct read *r, int n, int i0, int rows, int j0, int cols, uint16_t *to, float *line) {
  float *low = line, *high = low + cols * BLOCK;
  line = high + cols * BLOCK;
  int blocks = (int)r->blocks;
  for (int b = 0; b < blocks; b += 2) {
    if (b + 1 == blocks) fill(high, cols);
    for (int i = i0; i < i0 + rows; i++, to += cols * PAIR) {
      if (r->resample == UP && i > i0 && i % 2 == 1 && i < r->h) {
        __builtin_memcpy(to, to - cols * PAIR, cols * PAIR * sizeof *to);
        continue;
      }
      for (int k = b; k < b + 2 && k < blocks; k++) prepare_row(r, n, k, i, j0, cols, k == b ? low : high, line, source(r, n, k, i + 1, j0));
      for (int j = 0; j < cols; j++) round16(to + j * PAIR, load(low + j * BLOCK), load(high + j * BLOCK));
    }
  }
}

// multiply_tiles leaves the sums of 32 pixels × up to two blocks of outputs at c.
INLINE void multiply_tiles(const int two, const uint16_t *a, const ptrdiff_t *off, int segments, const uint16_t *b0, const uint16_t *b1, float *c) {
  __asm__ volatile("" ::: "memory"); // GCC does not know that tile loads read
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int s = 0; s < segments; s++) {
    const uint16_t *p = a + off[s];
    _tile_loadd(4, p, 2 * PAIR);
    _tile_loadd(6, b0 + s * TILE, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, p + BLOCK * PAIR, 2 * PAIR);
    _tile_dpbf16ps(1, 5, 6);
    if (two) {
      _tile_loadd(7, b1 + s * TILE, 64);
      _tile_dpbf16ps(2, 4, 7);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, c, 64);
  _tile_stored(1, c + BLOCK * BLOCK, 64);
  if (!two) return;
  _tile_stored(2, c + 2 * BLOCK * BLOCK, 64);
  _tile_stored(3, c + 3 * BLOCK * BLOCK, 64);
}

static NOINLINE void multiply_tiles1(const uint16_t *a, const ptrdiff_t *off, int segments, const uint16_t *b, float *c) {
  multiply_tiles(0, a, off, segments, b, b, c);
}
static NOINLINE void multiply_tiles2(const uint16_t *a, const ptrdiff_t *off, int segments, const uint16_t *b0, const uint16_t *b1, float *c) {
  multiply_tiles(1, a, off, segments, b0, b1, c);
}

// put_tiles writes count pixels of row i from column j on of block b.
INLINE void put_tiles(const struct write *o, int n, int b, int i, int j, int count, const float *sums, const float *bias) {
  float *y = result(o, n, b) + ((size_t)i * o->w + j) * BLOCK;
  V add = load(bias);
  if (o->residual && o->resample == SAME) {
    const float *p = residual_plane(o, n, b) + ((size_t)i * o->w + j) * BLOCK;
    for (int k = 0; k < count * BLOCK; k += BLOCK) store(y + k, load(sums + k) + add + load(p + k));
    return;
  }
  for (int k = 0; k < count * BLOCK; k += BLOCK) store(y + k, load(sums + k) + add);
  if (o->residual) add_residual(o, n, b, 0, BLOCK, i, j, count, y);
}

// conv_tiles: an item's window lies on end, so a turn's 32 pixels may go over
// the end of a row; what they give beyond the item's columns is dropped.
static void conv_tiles(const struct conv *c, int64_t from, int64_t to, float *scratch) {
  int k = (int)c->kernel, pad = k / 2;
  int rows = (int)c->bh + k - 1, cols = (int)c->bw + k - 1;
  int pairs = ((int)c->in.blocks + 1) / 2, segments = pairs * k * k;
  float *line = scratch + c->line, *bias = scratch + c->input, *sums = scratch + c->output;
  uint16_t *strip = (uint16_t *)(scratch + c->strip);
  ptrdiff_t *off = (ptrdiff_t *)(sums + TILED_FLOATS);
  for (int s = 0; s < segments; s++) off[s] = (((ptrdiff_t)(s / (k * k)) * rows + s % (k * k) / k) * cols + s % k) * PAIR;
  int prepared_n = -1, prepared_y = -1, prepared_x = -1;
  tiles_begin();
  for (int64_t i = from; i < to; i++) {
    struct item t = item_of(c, i);
    if (t.n != prepared_n || t.y != prepared_y || t.x != prepared_x) {
      prepare_tiles(&c->in, t.n, t.y - pad, rows, t.x - pad, cols, strip, line);
      prepared_n = t.n, prepared_y = t.y, prepared_x = t.x;
    }
    for (int b = t.b0; b < t.b1; b++) bias_of(&c->out, t.n, b, bias + (b - t.b0) * BLOCK);
    int h = least((int)c->bh, (int)c->out.h - t.y), w = least((int)c->bw, (int)c->out.w - t.x);
    int end = (h - 1) * cols + w;
    for (int b = t.b0; b < t.b1; b += 2) {
      int two = b + 1 < t.b1;
      const uint16_t *weights = (const uint16_t *)(intptr_t)c->weights + (size_t)b * segments * TILE;
      for (int p = 0; p < end; p += TILED) {
        if (two) multiply_tiles2(strip + p * PAIR, off, segments, weights, weights + (size_t)segments * TILE, sums);
        else multiply_tiles1(strip + p * PAIR, off, segments, weights, sums);
        for (int q = p; q < p + TILED && q < end;) {
          int y = q / cols, x = q % cols;
          int next = least((y + 1) * cols, p + TILED), count = least(next - q, w - x);
          if (count > 0)
            for (int u = 0; u <= two; u++)
              put_tiles(&c->out, t.n, b + u, t.y + y, t.x + x, count, sums + (u * TILED + q - p) * BLOCK, bias + (b + u - t.b0) * BLOCK);
          q = next;
        }
      }
    }
  }
  _tile_release();
}

// pack_tiles16 lays out blocks from … to of 16 outputs.
static void pack_tiles16(const struct pack *p, int64_t from, int64_t to) {
  int64_t pairs = (p->in + PAIR - 1) / PAIR;
  uint16_t *y = (uint16_t *)(intptr_t)p->to + from * pairs * p->taps * TILE;
  for (int64_t b = from; b < to; b++)
    for (int64_t s = 0; s < pairs * p->taps; s++)
      for (int r = 0; r < TILE; r++) {
        int64_t i = s / p->taps * PAIR + r / PAIR * 2 + r % 2, o = b * BLOCK + r % PAIR / 2;
        *y++ = i < p->in && o < p->out ? narrow(PTR(p->w)[(o * p->in + i) * p->taps + s % p->taps], BF16) : 0;
      }
}
