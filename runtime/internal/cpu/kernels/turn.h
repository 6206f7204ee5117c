// Weights for the way back.

struct turn {
  int64_t w, to;     // segments of 16×16
  int64_t out, in;   // blocks of w
  int64_t taps;      // 1 or 9
  int64_t tile;      // 0: to is laid out as w; else transformed for m×m tiles
  int64_t to_step, to_block;  // floats between frequencies and between blocks of outputs, if transformed
};

// turn makes the weights that lead gradients back: inputs and outputs
// exchanged, taps in reverse. Item i is a pair of blocks, w's outputs changing
// faster.
static void turn(const struct turn *k, int64_t from, int64_t to) {
  float g[BLOCK * 9 * BLOCK] __attribute__((aligned(64)));  // an output's taps of 16 inputs
  int taps = (int)k->taps;
  for (int64_t i = from; i < to; i++) {
    int64_t ob = i % k->out, ib = i / k->out;
    const float *w = PTR(k->w) + (ob * k->in + ib) * taps * BLOCK * BLOCK;
    for (int t = 0; t < taps; t++)
      for (int o = 0; o < BLOCK; o++)
        for (int c = 0; c < BLOCK; c++) g[(o * taps + taps - 1 - t) * BLOCK + c] = w[(t * BLOCK + c) * BLOCK + o];
    if (!k->tile) {
      float *y = PTR(k->to) + i * taps * BLOCK * BLOCK;
      for (int t = 0; t < taps; t++)
        for (int o = 0; o < BLOCK; o++) copy(y + (t * BLOCK + o) * BLOCK, g + (o * taps + t) * BLOCK, 1);
      continue;
    }
    float *y = PTR(k->to) + i / k->out * k->to_block + ob * BLOCK * BLOCK;
    for (int o = 0; o < BLOCK; o++)
      EACH_LANE(v) {
        if (k->tile == 4) filter(4, g + o * 9 * BLOCK + v, y + o * BLOCK + v, k->to_step);
        else filter(2, g + o * 9 * BLOCK + v, y + o * BLOCK + v, k->to_step);
      }
  }
}
