// The way back in bfloat16 tiles: packed weights of a network in training, and
// the gradient by a convolution's weights. Its sums go over pixels, 32 a tile:
//
//   ∂w[i][o][u, v] = Σ_p x[i][p + u·cols + v] · ∂y[o][p]
//
// where p counts the pixels of a window with its border, row after row; ∂y is
// zero on the border, so that no row's end matters.

// exchange makes 16 rows of 16 columns of 32 bits.
INLINE void exchange(__m512i *r) {
  __m512i t[16];
  UNROLL for (int i = 0; i < 16; i += 2) t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]), t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  UNROLL for (int i = 0; i < 16; i += 4) UNROLL for (int k = 0; k < 2; k++) {
    r[i + 2 * k] = _mm512_unpacklo_epi64(t[i + k], t[i + k + 2]);
    r[i + 2 * k + 1] = _mm512_unpackhi_epi64(t[i + k], t[i + k + 2]);
  }
  UNROLL for (int i = 0; i < 16; i += 8) UNROLL for (int k = 0; k < 4; k++) {
    t[i + k] = _mm512_shuffle_i32x4(r[i + k], r[i + k + 4], 0x88);
    t[i + k + 4] = _mm512_shuffle_i32x4(r[i + k], r[i + k + 4], 0xdd);
  }
  UNROLL for (int k = 0; k < 8; k++) {
    r[k] = _mm512_shuffle_i32x4(t[k], t[k + 8], 0x88);
    r[k + 8] = _mm512_shuffle_i32x4(t[k], t[k + 8], 0xdd);
  }
}

// pair16 is two vectors as bfloat16, element by element side by side.
INLINE __m512i pair16(V first, V second) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first));
}

struct tile_weights {
  int64_t w, to;
  int64_t out, in;  // blocks of w
  int64_t taps;     // 1 or 9
  int64_t turned;
};

// tile_weights packs weights for conv_tiles from segments of 16×16; with turned
// those that lead gradients back, with inputs and outputs exchanged and taps in
// reverse. Item i is a pair of blocks of inputs of a block of outputs.
static void tile_weights(const struct tile_weights *k, int64_t from, int64_t to) {
  const __m512i rows = _mm512_set_epi32(240, 224, 208, 192, 176, 160, 144, 128, 112, 96, 80, 64, 48, 32, 16, 0);
  int64_t blocks = k->turned ? k->out : k->in, pairs = (blocks + 1) / 2, taps = k->taps;
  for (int64_t i = from; i < to; i++) {
    int64_t ob = i / pairs;
    __m512i *y = (__m512i *)(intptr_t)k->to + i * taps * BLOCK;
    for (int64_t tap = 0; tap < taps; tap++)
      for (int c = 0; c < PAIR; c += 2) {
        int64_t ib = i % pairs * 2 + c / BLOCK;
        V a = splat(0), b = splat(0);
        if (ib < blocks && k->turned) {
          const float *w = PTR(k->w) + ((ib * k->in + ob) * taps + taps - 1 - tap) * BLOCK * BLOCK + c % BLOCK;
          a = (V)_mm512_i32gather_ps(rows, w, 4), b = (V)_mm512_i32gather_ps(rows, w + 1, 4);
        } else if (ib < blocks) {
          const float *w = PTR(k->w) + ((ob * k->in + ib) * taps + tap) * BLOCK * BLOCK + c % BLOCK * BLOCK;
          a = load(w), b = load(w + BLOCK);
        }
        *y++ = pair16(a, b);
      }
  }
}

struct learn16 {
  struct conv c;          // items are windows of bh×bw pixels; out.y is the gradient by outputs
  int64_t items, slots;   // each slot takes a run of the items
  int64_t group;          // blocks of outputs of one item of the kernel
  int64_t pitch;          // pixels of a channel's window, and what lies behind it
  int64_t u, u_slot;      // each slot's sums, laid out as weights
};

// window16 turns n pixels of a block into channels of pixels.
static void window16(uint16_t *to, size_t pitch, const float *x, int n) {
  for (int p = 0; p < n; p += PAIR) {
    __m512i r[BLOCK];
    UNROLL for (int j = 0; j < BLOCK; j++) r[j] = pair16(load(x + (p + 2 * j) * BLOCK), load(x + (p + 2 * j + 1) * BLOCK));
    exchange(r);
    UNROLL for (int c = 0; c < BLOCK; c++) *(__m512i_u *)(to + c * pitch + p) = r[c];
  }
}

// correlate16 adds to sums of taps × two blocks of outputs; a has the taps' pixels
// of 16 channels.
INLINE void correlate16(const int taps, const int two, int fresh, const uint16_t *a, size_t pitch, const uint16_t *b0, const uint16_t *b1, int n, float *c0, float *c1) {
  const int seg = BLOCK * BLOCK;
  __asm__ volatile("" ::: "memory"); // GCC does not know that tile loads read
  if (fresh) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
  } else {
    _tile_loadd(0, c0, 64);
    if (two) _tile_loadd(1, c1, 64);
    if (taps > 1) {
      _tile_loadd(2, c0 + seg, 64);
      _tile_loadd(4, c0 + 2 * seg, 64);
      if (two) _tile_loadd(3, c1 + seg, 64);
      if (two) _tile_loadd(5, c1 + 2 * seg, 64);
    }
  }
  for (int p = 0; p < n; p += PAIR, a += PAIR) {
    _tile_loadd(6, b0 + p * BLOCK, 64);
    _tile_loadd(7, a, pitch * 2);
    _tile_dpbf16ps(0, 7, 6);
    if (taps > 1) {
      _tile_loadd(7, a + 1, pitch * 2);
      _tile_dpbf16ps(2, 7, 6);
      _tile_loadd(7, a + 2, pitch * 2);
      _tile_dpbf16ps(4, 7, 6);
    }
    if (two) {
      _tile_loadd(6, b1 + p * BLOCK, 64);
      if (taps > 1) {
        _tile_dpbf16ps(5, 7, 6);
        _tile_loadd(7, a + 1, pitch * 2);
        _tile_dpbf16ps(3, 7, 6);
        _tile_loadd(7, a, pitch * 2);
      }
      _tile_dpbf16ps(1, 7, 6);
    }
  }
  _tile_stored(0, c0, 64);
  if (two) _tile_stored(1, c1, 64);
  if (taps == 1) return;
  _tile_stored(2, c0 + seg, 64);
  _tile_stored(4, c0 + 2 * seg, 64);
  if (!two) return;
  _tile_stored(3, c1 + seg, 64);
  _tile_stored(5, c1 + 2 * seg, 64);
}

#define CORRELATE16(NAME, TAPS, TWO) \
  static NOINLINE void NAME(int fresh, const uint16_t *a, size_t pitch, const uint16_t *b0, const uint16_t *b1, int n, float *c0, float *c1) { correlate16(TAPS, TWO, fresh, a, pitch, b0, b1, n, c0, c1); }
CORRELATE16(correlate16_3x2, 3, 1)
CORRELATE16(correlate16_3x1, 3, 0)
CORRELATE16(correlate16_1x2, 1, 1)
CORRELATE16(correlate16_1x1, 1, 0)

// learn_weights16: item i is a group of outputs of a slot.
static void learn_weights16(const struct learn16 *l, int64_t from, int64_t to, float *scratch) {
  const struct conv *c = &l->c;
  int k = (int)c->kernel, pad = k / 2, ins = (int)c->in.blocks, outs = (int)c->out.blocks;
  int rows = (int)c->bh + k - 1, cols = (int)c->bw + k - 1;
  int n = ((int)c->bh * cols + PAIR - 1) / PAIR * PAIR;
  size_t pitch = l->pitch, groups = (outs + l->group - 1) / l->group, seg = BLOCK * BLOCK;
  float *line = scratch + c->line, *strip = scratch + c->strip;
  uint16_t *x = (uint16_t *)(scratch + c->input), *d = (uint16_t *)(scratch + c->output);
  tiles_begin();
  for (int64_t i = from; i < to; i++) {
    int64_t slot = i / groups;
    int o0 = (int)(i % groups * l->group), o1 = least(o0 + (int)l->group, outs), fresh = 1;
    float *u = PTR(l->u) + slot * l->u_slot;
    for (int64_t j = slot * l->items / l->slots; j < (slot + 1) * l->items / l->slots; j++, fresh = 0) {
      struct item t = item_of(c, j);
      int h = least((int)c->bh, (int)c->out.h - t.y), w = least((int)c->bw, (int)c->out.w - t.x);
      fill(strip + rows * cols * BLOCK, (int)pitch - rows * cols);
      for (int b = 0; b < ins; b++) {
        prepare(&c->in, t.n, b, b + 1, t.y - pad, rows, t.x - pad, cols, strip, line);
        window16(x + b * BLOCK * pitch, pitch, strip, (int)pitch);
      }
      fill(strip, n);
      for (int b = o0; b < o1; b++) {
        for (int y = 0; y < h; y++) copy(strip + y * cols * BLOCK, result(&c->out, t.n, b) + ((size_t)(t.y + y) * c->out.w + t.x) * BLOCK, w);
        __m512i *to = (__m512i *)(d + (b - o0) * n * BLOCK);
        for (int p = 0; p < n; p += 2) *to++ = pair16(load(strip + p * BLOCK), load(strip + (p + 1) * BLOCK));
      }
      for (int b = 0; b < ins; b++)
        for (int o = o0; o < o1; o += 2) {
          float *c0 = u + ((size_t)o * ins + b) * k * k * seg, *c1 = c0 + (size_t)ins * k * k * seg;
          const uint16_t *a = x + b * BLOCK * pitch, *b0 = d + (size_t)(o - o0) * n * BLOCK, *b1 = b0 + n * BLOCK;
          int two = o + 1 < o1;
          if (k == 1) two ? correlate16_1x2(fresh, a, pitch, b0, b1, n, c0, c1) : correlate16_1x1(fresh, a, pitch, b0, b1, n, c0, c1);
          else for (int v = 0; v < k; v++, a += cols, c0 += k * seg, c1 += k * seg)
            two ? correlate16_3x2(fresh, a, pitch, b0, b1, n, c0, c1) : correlate16_3x1(fresh, a, pitch, b0, b1, n, c0, c1);
        }
    }
  }
  _tile_release();
}

struct join16 {
  int64_t u, u_slot, slots;
  int64_t y;
};

// join_slots adds up the slots' sums; item i is a segment.
static void join_slots(const struct join16 *k, int64_t from, int64_t to) {
  for (int64_t at = from * BLOCK * BLOCK; at < to * BLOCK * BLOCK; at += VL) {
    const float *u = PTR(k->u) + at;
    V s = load(PTR(k->y) + at);
    for (int64_t n = 0; n < k->slots; n++) s += load(u + n * k->u_slot);
    store(PTR(k->y) + at, s);
  }
}
