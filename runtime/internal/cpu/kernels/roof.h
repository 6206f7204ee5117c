// What a core can do at most: multiply-adds between registers, and reading.

struct roof {
  int64_t x, bytes;  // memory that stream reads
  int64_t rounds;    // of peak
};

#if VL == 16
#define CHAINS 24
#else
#define CHAINS 12
#endif

// peak does rounds × CHAINS × VL multiply-adds an item, in chains enough to
// hide their latency.
static void peak(const struct roof *p, int64_t from, int64_t to, float *scratch) {
  for (int64_t i = from; i < to; i++) {
    V acc[CHAINS], a = splat(0.999f), b = splat(0.001f);
    UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = splat((float)c);
    for (int64_t r = 0; r < p->rounds; r++) UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = acc[c] * a + b;
    UNROLL for (int c = 1; c < CHAINS; c++) acc[0] += acc[c];
    store(scratch, acc[0]);
  }
}

// stream reads 64 KiB an item.
#define STREAMED (1 << 14)
static void stream(const struct roof *p, int64_t from, int64_t to, float *scratch) {
  V acc[8] = {{0}};
  const float *x = PTR(p->x), *end = x + to * STREAMED;
  for (x += from * STREAMED; x < end; x += 8 * VL) UNROLL for (int c = 0; c < 8; c++) acc[c] += load(x + c * VL);
  UNROLL for (int c = 1; c < 8; c++) acc[0] += acc[c];
  store(scratch, acc[0]);
}
