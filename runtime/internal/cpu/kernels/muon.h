// Muon: a matrix moves along its momentum U with every singular value brought
// near 1, by Newton and Schulz's iteration of an odd polynomial (device.Ortho).
// All its turns are polynomials of one Gram matrix, so they are multiplied out
// there, where that is small and symmetric, and U is met twice:
//
//   R = UᵀU/|U|², Q = I;  each turn P = aI + bR + cR², Q = QP, R = RP²;  U·Q/|U|

struct muon {
  int64_t w, grad, m1, average;  // blocks of 16 outputs, each rows × 16
  int64_t rows, blocks;
  int64_t turns;
  double a, b, c;
  double momentum, scale, rate, keep;  // w = keep·w − rate·step
  double follow;                       // 1 − decay of the average
};

// mirror makes a square matrix symmetric by the blocks above its diagonal.
static void mirror(float *r, int blocks) {
  size_t panel = (size_t)blocks * BLOCK * BLOCK;
  for (int i = 0; i < blocks; i++)
    for (int j = i; j < blocks; j++) {
      const float *from = r + j * panel + (size_t)i * BLOCK * BLOCK;
      float *to = r + i * panel + (size_t)j * BLOCK * BLOCK;
      for (int x = 0; x < BLOCK; x++)
        for (int y = i == j ? x : 0; y < BLOCK; y++) to[y * BLOCK + x] = from[x * BLOCK + y];
    }
}

// gram is scale·UᵀU, in blocks of 16 columns as all matrices here.
static void gram(const float *u, int rows, int blocks, float scale, float *r) {
  int o = blocks * BLOCK;
  for (int i = 0; i < blocks; i++)
    for (int at = 0; at < rows; at += POSITIONS) {
      int count = least(POSITIONS, rows - at), start = at == 0 ? ZERO : ACCUMULATE;
      const float *a = u + ((size_t)i * rows + at) * BLOCK;
      for (int p = i * BLOCK; p < o; p += PANEL) {
        int q = p + VL;
        const float *b0 = u + ((size_t)(p / BLOCK) * rows + at) * BLOCK + p % BLOCK, *b1 = u + ((size_t)(q / BLOCK) * rows + at) * BLOCK + q % BLOCK;
        float *c0 = r + ((size_t)(p / BLOCK) * o + i * BLOCK) * BLOCK + p % BLOCK, *c1 = r + ((size_t)(q / BLOCK) * o + i * BLOCK) * BLOCK + q % BLOCK;
        for (int k = 0; k < BLOCK; k += RANK) {
          if (q < o) outer2(a + k, b0, b1, count, start, c0 + k * BLOCK, c1 + k * BLOCK);
          else outer1(a + k, b0, count, start, c0 + k * BLOCK);
        }
      }
    }
  mirror(r, blocks);
  for (int i = 0; i < o * o; i += VL) store(r + i, load(r + i) * scale);
}

// times is n of a matrix's rows times a square matrix. Of a symmetric product it
// makes what lies above the diagonal.
static void times(const float *a, int rows, int n, const float *b, int blocks, int symmetric, float *c, ptrdiff_t *off) {
  int o = blocks * BLOCK;
  for (int s = 0; s < blocks; s++) off[s] = (ptrdiff_t)s * rows * BLOCK;
  struct product g = {.off = off, .segments = blocks, .last = BLOCK, .start = ZERO};
  for (int p = 0; p < o; p += PANEL) {
    int q = p + VL;
    g.b0 = b + (size_t)(p / BLOCK) * o * BLOCK + p % BLOCK;
    g.b1 = b + (size_t)(q / BLOCK) * o * BLOCK + q % BLOCK;
    int end = symmetric ? least(n, p + PANEL) : n;
    for (int x = 0; x < end;) {
      int r = group(end - x);
      g.a = a + x * BLOCK;
      g.c0 = c + ((size_t)(p / BLOCK) * n + x) * BLOCK + p % BLOCK;
      g.c1 = c + ((size_t)(q / BLOCK) * n + x) * BLOCK + q % BLOCK;
      gemm(q < o ? 2 : 1, 1, r, &g);
      x += r;
    }
  }
}

// commuting is the product of two polynomials of a Gram matrix.
static void commuting(const float *a, const float *b, int blocks, float *c, ptrdiff_t *off) {
  int o = blocks * BLOCK;
  times(a, o, o, b, blocks, 1, c, off);
  mirror(c, blocks);
}

// orthogonalizer is Q of a Gram matrix R, which it uses up; it returns where Q
// is. All four have room for o×o.
static float *orthogonalizer(const struct muon *m, float *r, float *q, float *p, float *t, ptrdiff_t *off) {
  int blocks = (int)m->blocks, o = blocks * BLOCK;
  V b = splat((float)m->b), c = splat((float)m->c);
  for (int turn = 0; turn < m->turns; turn++) {
    commuting(r, r, blocks, p, off);
    for (int i = 0; i < o * o; i += VL) store(p + i, load(p + i) * c + load(r + i) * b);
    for (int i = 0; i < o; i++) p[((size_t)(i / BLOCK) * o + i) * BLOCK + i % BLOCK] += (float)m->a;
    float *was = q;
    if (turn == 0) {
      __builtin_memcpy(q, p, sizeof *q * o * o);
    } else {
      commuting(q, p, blocks, t, off);
      q = t, t = was;
    }
    if (turn == m->turns - 1) break;
    commuting(r, p, blocks, t, off);
    commuting(t, p, blocks, r, off);
  }
  return q;
}

// muon: item i is a matrix. Gradients are cleared.
static void muon(const struct muon *all, int64_t from, int64_t to, float *scratch) {
  for (int64_t item = from; item < to; item++) {
    const struct muon *m = all + item;
    int rows = (int)m->rows, blocks = (int)m->blocks, o = blocks * BLOCK;
    size_t size = (size_t)rows * o, square = (size_t)o * o;
    float *w = PTR(m->w), *u = PTR(m->grad), *m1 = PTR(m->m1), *average = PTR(m->average);
    V keep1 = splat((float)m->momentum), rest = splat((float)((1 - m->momentum) * m->scale)), sum = splat(0);
    for (size_t i = 0; i < size; i += VL) {
      V g = load(u + i) * rest, a = load(m1 + i) * keep1 + g;
      store(m1 + i, a);
      a = a * keep1 + g; // as Nesterov looks ahead
      store(u + i, a);
      sum += a * a;
    }
    float norm = hsum(sum), *line = scratch + 4 * square;
    ptrdiff_t *off = (ptrdiff_t *)(line + ROWS * o);
    float *q = scratch;
    if (norm > 0) {
      gram(u, rows, blocks, 1 / norm, scratch);
      q = orthogonalizer(m, scratch, scratch + square, scratch + 2 * square, scratch + 3 * square, off);
    } else {
      fill(q, o * o / BLOCK); // nothing moves but by decay
      norm = 1;
    }
    V keep = splat((float)m->keep), rate = splat((float)(m->rate / __builtin_sqrt(norm))), follow = splat((float)m->follow);
    for (int x = 0; x < rows;) {
      int n = group(rows - x);
      times(u + x * BLOCK, rows, n, q, blocks, 0, line, off);
      for (int b = 0; b < blocks; b++)
        for (int i = 0; i < n * BLOCK; i += VL) {
          size_t at = ((size_t)b * rows + x) * BLOCK + i;
          V v = load(w + at) * keep - load(line + (size_t)b * n * BLOCK + i) * rate, a = load(average + at);
          store(w + at, v);
          store(average + at, a + follow * (v - a));
        }
      x += n;
    }
    for (size_t i = 0; i < size; i += VL) store(u + i, splat(0));
  }
}
