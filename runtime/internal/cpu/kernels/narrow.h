// Weights as they are packed, and in fewer bits.

struct pack {
  int64_t w;  // out×in×taps, as the pack file has them
  int64_t to;
  int64_t out, in;
  int64_t taps;  // 1 or 9
  int64_t tile;  // 0: direct; 4 or 2: transformed, to is freq×blocks×…
  int64_t type;  // direct: F32, F16 or BF16
};

// narrow is a float32 as F16 or BF16, rounded to even. There are no
// infinities among weights; what is too large for F16 becomes the largest.
INLINE uint16_t narrow(float x, int64_t type) {
  union { float f; uint32_t u; } v = {x};
  if (type == BF16) return (uint16_t)((v.u + 0x7fff + (v.u >> 16 & 1)) >> 16);
  uint32_t sign = v.u >> 16 & 0x8000;
  v.u &= 0x7fffffff;
  if (v.f >= 65504.0f) return (uint16_t)(sign | 0x7bff);
  if (v.f < 0x1p-14f) { // adding 0.5 leaves 2⁻²⁴ as the last place
    v.f += 0.5f;
    return (uint16_t)(sign | (v.u - 0x3f000000));
  }
  return (uint16_t)(sign | (v.u - 0x38000000 + 0xfff + (v.u >> 13 & 1)) >> 13);
}
