// The step: AdamW with decoupled decay and the moving average, in one pass.

#define STRETCH 16384  // floats of an item

struct adamw {
  int64_t w, grad, m1, m2, average;
  int64_t count;    // floats of each, a multiple of 16
  int64_t squares;  // of square_sums: a float an item
  int64_t pad;
  double beta1, beta2, over1, over2;  // overs are 1/(1−βᵗ)
  double scale, rate, eps, decay;
  double follow;                      // 1 − decay of the average
};

// adamw moves the weights and clears the gradients.
static void adamw(const struct adamw *k, int64_t from, int64_t to) {
  V b1 = splat((float)k->beta1), c1 = splat((float)(1 - k->beta1)), b2 = splat((float)k->beta2), c2 = splat((float)(1 - k->beta2));
  V over2 = splat((float)k->over2), eps = splat((float)k->eps), scale = splat((float)k->scale);
  V pace = splat((float)(k->rate * k->over1)), fade = splat((float)(k->rate * k->decay)), follow = splat((float)k->follow);
  int64_t end = to * STRETCH < k->count ? to * STRETCH : k->count;
  for (int64_t i = from * STRETCH; i < end; i += VL) {
    V g = load(PTR(k->grad) + i) * scale;
    V m = load(PTR(k->m1) + i) * b1 + g * c1, v = load(PTR(k->m2) + i) * b2 + g * g * c2;
    store(PTR(k->m1) + i, m);
    store(PTR(k->m2) + i, v);
    V w = load(PTR(k->w) + i);
    w -= fade * w + pace * m / (vsqrt(v * over2) + eps);
    store(PTR(k->w) + i, w);
    V a = load(PTR(k->average) + i);
    store(PTR(k->average) + i, a + follow * (w - a));
    store(PTR(k->grad) + i, splat(0));
  }
}

// square_sums sums the squares of the gradients of every item.
static void square_sums(const struct adamw *k, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++) {
    int64_t at = i * STRETCH, end = at + STRETCH < k->count ? at + STRETCH : k->count;
    V s[4] = {{0}};
    for (; at < end; at += BLOCK)
      EACH_LANE(v) {
        V g = load(PTR(k->grad) + at + v);
        s[v / VL] += g * g;
      }
    PTR(k->squares)[i] = hsum((s[0] + s[1]) + (s[2] + s[3]));
  }
}
