// Vectors of VL floats, as the variant's instruction set has them.

#include <stddef.h>
#include <stdint.h>

typedef float V __attribute__((vector_size(4 * VL), may_alias));
typedef int32_t I __attribute__((vector_size(4 * VL), may_alias));

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 40")
#endif

// BLOCK is how many channels lie together: an activation is N×C/16×H×W×16,
// the channels beyond C are zero. It is one cache line, and a whole number of
// vectors of every variant.
#define BLOCK 16
#define EACH_LANE(v) UNROLL for (int v = 0; v < BLOCK; v += VL)

#define PTR(a) ((float *)(intptr_t)(a))

INLINE V load(const float *p) { return *(const V *)p; }
INLINE void store(float *p, V v) { *(V *)p = v; }
INLINE V splat(float x) { return x - (V){0}; }
INLINE V choose(I mask, V a, V b) { return (V)((mask & (I)a) | (~mask & (I)b)); }
INLINE V vmin(V a, V b) { return choose(a < b, a, b); }
INLINE V vmax(V a, V b) { return choose(a > b, a, b); }

INLINE float hmax(V v) {
  float m = v[0];
  UNROLL for (int i = 1; i < VL; i++) m = v[i] > m ? v[i] : m;
  return m;
}

INLINE float hsum(V v) {
  float s = 0;
  UNROLL for (int i = 0; i < VL; i++) s += v[i];
  return s;
}

// vexp is e^x to 1e-7 relative, for x held to [-87, 87]: x = n·ln 2 + r, a
// polynomial of degree 6 in r, and n put into the exponent. Adding 1.5·2²³
// rounds to n and leaves it in the low bits.
INLINE V vexp(V x) {
  const float magic = 12582912.0f;
  x = vmax(vmin(x, splat(87.0f)), splat(-87.0f));
  V t = x * 1.44269504088896341f + magic;
  V n = t - magic;
  V r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  V p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + (r + 1.0f);
  return (V)((I)p + ((I)t << 23));
}

INLINE V silu(V x) { return x / (1.0f + vexp(-x)); }
