// Vectors of VL floats, as the variant's instruction set has them.

#include <stddef.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm__)
#include <wasm_simd128.h>
#endif

typedef float V __attribute__((vector_size(4 * VL), may_alias));
typedef int32_t I __attribute__((vector_size(4 * VL), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
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

// madd is a·b + c. Compilers contract it to one instruction where the set has
// one; that of relaxed WASM must be named.
#ifdef __wasm_relaxed_simd__
INLINE V madd(V a, V b, V c) { return (V)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c); }
#else
INLINE V madd(V a, V b, V c) { return a * b + c; }
#endif

// Compilers do not find the instructions for these by themselves.
INLINE V choose(I mask, V a, V b) { return (V)((mask & (I)a) | (~mask & (I)b)); }

#if VL == 16
INLINE V vsqrt(V a) { return (V)_mm512_sqrt_ps((__m512)a); }
INLINE V vmin(V a, V b) { return (V)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE V vmax(V a, V b) { return (V)_mm512_max_ps((__m512)a, (__m512)b); }
#elif VL == 8
INLINE V vsqrt(V a) { return (V)_mm256_sqrt_ps((__m256)a); }
INLINE V vmin(V a, V b) { return (V)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE V vmax(V a, V b) { return (V)_mm256_max_ps((__m256)a, (__m256)b); }
#elif defined(__SSE2__)
INLINE V vsqrt(V a) { return (V)_mm_sqrt_ps((__m128)a); }
INLINE V vmin(V a, V b) { return (V)_mm_min_ps((__m128)a, (__m128)b); }
INLINE V vmax(V a, V b) { return (V)_mm_max_ps((__m128)a, (__m128)b); }
#elif defined(__wasm__)
INLINE V vsqrt(V a) { return (V)wasm_f32x4_sqrt((v128_t)a); }
INLINE V vmin(V a, V b) { return (V)wasm_f32x4_pmin((v128_t)b, (v128_t)a); }
INLINE V vmax(V a, V b) { return (V)wasm_f32x4_pmax((v128_t)b, (v128_t)a); }
#else
INLINE V vsqrt(V a) { return (V)vsqrtq_f32((float32x4_t)a); }
INLINE V vmin(V a, V b) { return (V)vminq_f32((float32x4_t)a, (float32x4_t)b); }
INLINE V vmax(V a, V b) { return (V)vmaxq_f32((float32x4_t)a, (float32x4_t)b); }
#endif

// hmax and hsum fold a vector in half until one float is left.
#define SWAP(v, ...) __builtin_shufflevector(v, v, __VA_ARGS__)
#if VL == 16
#define FOLDS(v, op) \
  v = op(v, SWAP(v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)); \
  v = op(v, SWAP(v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)); \
  v = op(v, SWAP(v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)); \
  v = op(v, SWAP(v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14))
#elif VL == 8
#define FOLDS(v, op) \
  v = op(v, SWAP(v, 4, 5, 6, 7, 0, 1, 2, 3)); \
  v = op(v, SWAP(v, 2, 3, 0, 1, 6, 7, 4, 5)); \
  v = op(v, SWAP(v, 1, 0, 3, 2, 5, 4, 7, 6))
#else
#define FOLDS(v, op) \
  v = op(v, SWAP(v, 2, 3, 0, 1)); \
  v = op(v, SWAP(v, 1, 0, 3, 2))
#endif
INLINE V vadd(V a, V b) { return a + b; }
INLINE float hmax(V v) { FOLDS(v, vmax); return v[0]; }
INLINE float hsum(V v) { FOLDS(v, vadd); return v[0]; }

// vexp2 is 2^x to 2e-7 relative, for x held to ±126: x = n + r, a polynomial
// of degree 5 in r, and n put into the exponent. Adding 1.5·2²³ rounds to n and
// leaves it in the low bits.
INLINE V vexp2(V x) {
#if VL == 16
  V n = (V)_mm512_roundscale_ps((__m512)x, 0), r = (V)_mm512_reduce_ps((__m512)x, 0);
#else
  const float magic = 12582912.0f;
  x = vmax(vmin(x, splat(126.0f)), splat(-126.0f));
  V t = x + magic, r = x - (t - magic);
#endif
  V p = r * 1.327647200e-3f + 9.675541334e-3f;
  p = p * r + 5.550713273e-2f;
  p = p * r + 2.402211972e-1f;
  p = p * r + 6.931469671e-1f;
  p = p * r + 1.0f;
#if VL == 16
  return (V)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  return (V)((I)p + ((I)t << 23));
#endif
}

#define LOG2E 1.44269504088896341f

INLINE V silu(V x) { return x / (1.0f + vexp2(x * -LOG2E)); }

// vlog is the natural logarithm of a normal positive x to 1e-7 relative, also
// close to 1: x = 2ⁿ·(1+f) with 1+f in [√½, √2), and a polynomial in f.
INLINE V vlog(V x) {
  I e = (((I)x >> 23) & 255) - 126;
  V m = (V)(((I)x & 0x007fffff) | 0x3f000000);
  I low = m < 0.707106781186547524f;
  V f = m + choose(low, m, splat(0)) - 1.0f;
  V n = __builtin_convertvector(e + low, V); // low is -1 where it holds
  V z = f * f;
  V p = f * 7.0376836292e-2f + -1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f + -1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f + -1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f + -2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  p = p * f * z + n * -2.12194440e-4f - 0.5f * z;
  return f + p + n * 0.693359375f;
}

// vcircle is the cosine and the sine of 2πv for v in [0, 1], by quadrants.
INLINE void vcircle(V v, V *cosine, V *sine) {
  const float magic = 12582912.0f;
  V t = 4.0f * v + magic, r = (4.0f * v - (t - magic)) * 1.57079632679489662f, z = r * r;
  I q = (I)t;
  V s = ((z * -1.9515295891e-4f + 8.3321608736e-3f) * z + -1.6666654611e-1f) * z * r + r;
  V c = ((z * 2.443315711809948e-5f + -1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
  I odd = -(q & 1);
  V a = choose(odd, s, c), b = choose(odd, c, s);
  *cosine = (V)((I)a ^ (((q + 1) & 2) << 30));
  *sine = (V)((I)b ^ ((q & 2) << 30));
}
