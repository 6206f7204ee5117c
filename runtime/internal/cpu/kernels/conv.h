// What the two convolutions share: their arguments, and the order of work.

struct conv {
  struct read in;
  struct write out;
  int64_t n;
  int64_t kernel, stride;
  int64_t flat;     // direct: a 1×1 that reads x as it lies, as one long row
  int64_t weights;  // 16-output blocks of segments of 16×16
  int64_t type;     // of the weights: F32, F16 or BF16
  int64_t bh, bw;   // a work item: rows×columns of output pixels, or of tiles
  int64_t ny, nx;   // items along both sides
  int64_t kb, nk;   // output blocks of an item, items along them
  // Places in a worker's scratch, in floats.
  int64_t line, strip, input, output;
};

enum { F32, F16, BF16 };

typedef uint16_t H __attribute__((vector_size(2 * VL), may_alias));
typedef uint32_t U __attribute__((vector_size(4 * VL), may_alias));

// expand is VL weights from the at-th on, in float32.
INLINE V expand(int64_t weights, int64_t type, size_t at) {
  if (type == F32) return load(PTR(weights) + at);
#if VL == 16
  if (type == F16) return (V)_mm512_cvtph_ps(*(const __m256i_u *)((const uint16_t *)(intptr_t)weights + at));
#endif
  U h = __builtin_convertvector(*(const H *)((const uint16_t *)(intptr_t)weights + at), U);
  if (type == BF16) return (V)(h << 16);
  // Moves the exponent's base from 15 to 127 by a multiplication, which makes
  // subnormal numbers normal; there are no infinities.
  V x = (V)((h & 0x7fff) << 13) * 0x1p112f;
  return (V)((U)x | (h & 0x8000) << 16);
}

// fetch fetches what expand will read.
INLINE void fetch(int64_t weights, int64_t type, size_t at) { __builtin_prefetch((const char *)(intptr_t)weights + at * (type == F32 ? 4 : 2)); }

struct item {
  int n, y, x; // sample, first row and column
  int b0, b1;  // output blocks
};

// item_of: neighbours share weights, so outputs change slowest.
INLINE struct item item_of(const struct conv *c, int64_t i) {
  struct item t;
  t.x = (int)(i % c->nx * c->bw), i /= c->nx;
  t.y = (int)(i % c->ny * c->bh), i /= c->ny;
  t.n = (int)(i % c->n), i /= c->n;
  t.b0 = (int)(i * c->kb);
  t.b1 = (int)(t.b0 + c->kb < c->out.blocks ? t.b0 + c->kb : c->out.blocks);
  return t;
}

INLINE int least(int a, int b) { return a < b ? a : b; }

// last is the depth of the last segment of the input's channels.
INLINE int last_depth(const struct read *r) { return (int)(r->channels - (r->blocks - 1) * BLOCK); }
