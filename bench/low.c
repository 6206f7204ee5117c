// What a core's multiply-add instructions give in float32, bfloat16 and int8,
// on one thread and on more, and what a direct 3×3 convolution of 64 to 64
// channels at 256×256 then takes in int8, beside i2sb-run bench --threads 1:
//
//   clang-19 -O3 -march=native -pthread -o /tmp/low bench/low.c && /tmp/low 1 && /tmp/low 2
//
// It needs a processor with avx512_bf16 and avx512_vnni.

#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 4000000L
#define CHAINS 24
#define TIMES 7

// Each is CHAINS independent sums, enough to hide the latency.
#define LOOP(name, type, zero, step)                                           \
  static void *name(void *to) {                                                \
    type acc[CHAINS];                                                          \
    _Pragma("GCC unroll 24") for (int c = 0; c < CHAINS; c++) acc[c] = zero;    \
    for (long r = 0; r < ROUNDS; r++) {                                        \
      _Pragma("GCC unroll 24") for (int c = 0; c < CHAINS; c++) {              \
        acc[c] = step;                                                         \
        __asm__ volatile("" : "+v"(acc[c]));                                   \
      }                                                                        \
    }                                                                          \
    _Pragma("GCC unroll 24") for (int c = 1; c < CHAINS; c++) acc[0] = (type)((__m512)acc[0] + (__m512)acc[c]); \
    *(volatile float *)to = ((__m512)acc[0])[0];                               \
    return NULL;                                                               \
  }
LOOP(f32, __m512, _mm512_setzero_ps(), _mm512_fmadd_ps(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f), acc[c]))
LOOP(bf16, __m512, _mm512_setzero_ps(), _mm512_dpbf16_ps(acc[c], (__m512bh)_mm512_set1_epi32(0x3f003f00), (__m512bh)_mm512_set1_epi32(0x3f003f00)))
LOOP(int8, __m512i, _mm512_setzero_si512(), _mm512_dpbusd_epi32(acc[c], _mm512_set1_epi8(1), _mm512_set1_epi8(1)))

// measure prints the best of TIMES runs; a is the arithmetic of one instruction.
static void measure(const char *name, void *(*run)(void *), int threads, double a) {
  double best = 0;
  for (int k = 0; k < TIMES; k++) {
    pthread_t t[256];
    float to[256];
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < threads; i++) pthread_create(&t[i], NULL, run, &to[i]);
    for (int i = 0; i < threads; i++) pthread_join(t[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double s = (end.tv_sec - begin.tv_sec) + 1e-9 * (end.tv_nsec - begin.tv_nsec);
    double g = a * CHAINS * ROUNDS * threads / s / 1e9;
    if (g > best) best = g;
  }
  printf("%-5s %2d threads %7.0f G operations a second\n", name, threads, best);
}

#define SIDE 256
#define C 64

// outputs makes 64 channels of R pixels; a row of the input is SIDE+2 pixels.
static inline __attribute__((always_inline)) void outputs(const int R, const uint8_t *x, const int8_t *w, float scale, float *y) {
  __m512i acc[6][4];
  _Pragma("GCC unroll 6") for (int r = 0; r < R; r++) _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) acc[r][k] = _mm512_setzero_si512();
  for (int u = 0; u < 3; u++)
    for (int i = 0; i < 3 * C; i += 4, w += 4 * 64) {
      const uint8_t *p = x + u * (SIDE + 2) * C + i;
      __m512i b[4];
      _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) b[k] = _mm512_load_si512(w + 64 * k);
      _Pragma("GCC unroll 6") for (int r = 0; r < R; r++) {
        __m512i a = _mm512_set1_epi32(*(const int *)(p + r * C));
        _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) acc[r][k] = _mm512_dpbusd_epi32(acc[r][k], a, b[k]);
      }
    }
  _Pragma("GCC unroll 6") for (int r = 0; r < R; r++) _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)
    _mm512_store_ps(y + (size_t)k * SIDE * SIDE * 16 + r * 16, _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][k]), _mm512_set1_ps(scale)));
}

static void layer(void) {
  float *x = aligned_alloc(64, 4l * SIDE * SIDE * C), *y = aligned_alloc(64, 4l * SIDE * SIDE * C);
  uint8_t *q = aligned_alloc(64, (SIDE + 2) * (SIDE + 2) * C);
  int8_t *w = aligned_alloc(64, 9 * C * C);
  memset(q, 0, (SIDE + 2) * (SIDE + 2) * C);
  for (int i = 0; i < 9 * C * C; i++) w[i] = (int8_t)(i * 31 % 255 - 127);
  for (int i = 0; i < SIDE * SIDE * C; i++) x[i] = (float)(i % 255);
  double best = 1, quantise = 1;
  for (int k = 0; k < 15; k++) {
    struct timespec t[3];
    clock_gettime(CLOCK_MONOTONIC, &t[0]);
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++)
        for (int b = 0; b < C / 16; b++) {
          __m512 v = _mm512_load_ps(x + (((size_t)b * SIDE + i) * SIDE + j) * 16);
          _mm_store_si128((__m128i *)(q + ((i + 1) * (SIDE + 2) + j + 1) * C + b * 16), _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(v, _mm512_set1_ps(0.9f)))));
        }
    __asm__ volatile("" : : "r"(q) : "memory");
    clock_gettime(CLOCK_MONOTONIC, &t[1]);
    for (int i = 0; i < SIDE; i++) {
      const uint8_t *from = q + i * (SIDE + 2) * C;
      float *to = y + (size_t)i * SIDE * 16;
      int j = 0;
      for (; j + 6 <= SIDE; j += 6) outputs(6, from + j * C, w, 0.01f, to + j * 16);
      for (; j < SIDE; j++) outputs(1, from + j * C, w, 0.01f, to + j * 16);
    }
    __asm__ volatile("" : : "r"(y) : "memory");
    clock_gettime(CLOCK_MONOTONIC, &t[2]);
    double s = (t[2].tv_sec - t[0].tv_sec) + 1e-9 * (t[2].tv_nsec - t[0].tv_nsec);
    if (s < best) best = s, quantise = (t[1].tv_sec - t[0].tv_sec) + 1e-9 * (t[1].tv_nsec - t[0].tv_nsec);
  }
  printf("int8 layer: %.2f ms, of which %.2f to quantise\n", 1e3 * best, 1e3 * quantise);
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 1;
  if (threads < 1 || threads > 256) return 2;
  measure("f32", f32, threads, 2 * 16);
  measure("bf16", bf16, threads, 2 * 32);
  measure("int8", int8, threads, 2 * 64);
  if (threads == 1) layer();
}
