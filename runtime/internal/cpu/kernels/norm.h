// GroupNorm in two steps: moments of runs of pixels, channel by channel, then
// one scale and shift a channel from all of a group's.

// RUN pixels are read twice from the cache: mean, then squares around it.
#define RUN 1024

struct moments {
  int64_t x;  // N×blocks×area×16
  int64_t n, blocks, area;
  int64_t runs;            // ⌈area/RUN⌉
  int64_t to, first, all;  // N×all×runs×2×16; this tensor's blocks begin at first
};

// moments: item i is a block of a run of a sample, so that a thread reads the
// part of a picture that it wrote.
static void moments(const struct moments *m, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++) {
    int64_t b = i % m->blocks, run = i / m->blocks % m->runs, n = i / m->blocks / m->runs;
    int64_t start = run * RUN, count = m->area - start < RUN ? m->area - start : RUN;
    const float *x = PTR(m->x) + ((n * m->blocks + b) * m->area + start) * BLOCK;
    float *y = PTR(m->to) + (((n * m->all + m->first + b) * m->runs + run) * 2) * BLOCK;
    EACH_LANE(v) {
      V s[4] = {{0}}, q[4] = {{0}};
      int64_t j = 0;
      for (; j + 4 <= count; j += 4) UNROLL for (int u = 0; u < 4; u++) s[u] += load(x + (j + u) * BLOCK + v);
      for (; j < count; j++) s[0] += load(x + j * BLOCK + v);
      V mean = ((s[0] + s[1]) + (s[2] + s[3])) / (float)count;
      for (j = 0; j + 4 <= count; j += 4)
        UNROLL for (int u = 0; u < 4; u++) {
          V d = load(x + (j + u) * BLOCK + v) - mean;
          q[u] += d * d;
        }
      for (; j < count; j++) {
        V d = load(x + j * BLOCK + v) - mean;
        q[0] += d * d;
      }
      store(y + v, mean);
      store(y + BLOCK + v, (q[0] + q[1]) + (q[2] + q[3]));
    }
  }
}

struct norm {
  int64_t moments;
  int64_t n, channels, blocks, groups, area, runs;
  int64_t gamma, beta;
  int64_t scale_shift;  // N×2·channels, padded to a multiple of 16; or 0
  int64_t stride;       // elements of a sample of scale_shift
  int64_t y;            // N×2×16·blocks
  double eps;
};

// norm folds statistics, γ, β and the time step's scale and shift into one
// scale and shift; item i is a group of a sample.
static void norm(const struct norm *m, int64_t from, int64_t to) {
  int64_t per = m->channels / m->groups;
  for (int64_t i = from; i < to; i++) {
    int64_t n = i / m->groups, first = i % m->groups * per;
    double count = 0, mean = 0, squares = 0;
    for (int64_t c = first; c < first + per; c++) {
      const float *p = PTR(m->moments) + ((n * m->blocks + c / BLOCK) * m->runs * 2) * BLOCK + c % BLOCK;
      for (int64_t run = 0; run < m->runs; run++, p += 2 * BLOCK) {
        double k = run == m->runs - 1 ? m->area - run * RUN : RUN;
        double d = p[0] - mean, sum = count + k;
        mean += d * k / sum;
        squares += p[BLOCK] + d * d * count * k / sum;
        count = sum;
      }
    }
    double rstd = 1 / __builtin_sqrt(squares / count + m->eps);
    float *y = PTR(m->y) + n * 2 * m->blocks * BLOCK;
    for (int64_t c = first; c < first + per; c++) {
      double scale = rstd * PTR(m->gamma)[c], shift = PTR(m->beta)[c] - mean * scale;
      if (m->scale_shift) {
        const float *e = PTR(m->scale_shift) + n * m->stride;
        scale *= 1 + (double)e[c];
        shift = shift * (1 + (double)e[c]) + e[m->channels + c];
      }
      y[c] = (float)scale;
      y[m->blocks * BLOCK + c] = (float)shift;
    }
    for (int64_t c = m->channels; i % m->groups == m->groups - 1 && c < m->blocks * BLOCK; c++)
      y[c] = y[m->blocks * BLOCK + c] = 0;
  }
}
