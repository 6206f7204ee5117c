#include <stddef.h>
#include <stdint.h>

typedef void (*i2sb_run)(int64_t kernel, int64_t args, int64_t from, int64_t to, int64_t scratch);

void i2sb_run_base(int64_t kernel, int64_t args, int64_t from, int64_t to, int64_t scratch);
void i2sb_run_avx2(int64_t kernel, int64_t args, int64_t from, int64_t to, int64_t scratch);
void i2sb_run_avx512(int64_t kernel, int64_t args, int64_t from, int64_t to, int64_t scratch);
void i2sb_run_amx(int64_t kernel, int64_t args, int64_t from, int64_t to, int64_t scratch);
int i2sb_allow_tiles(void);

static inline void i2sb_call(i2sb_run run, int64_t kernel, int64_t args, int64_t from, int64_t to, int64_t scratch) {
  run(kernel, args, from, to, scratch);
}

// i2sb_alloc returns zeroed memory aligned to a cache line, or NULL.
void *i2sb_alloc(size_t bytes);
void i2sb_free(void *p, size_t bytes);

#ifdef __linux__
// i2sb_share computes n items of a kernel on the calling thread and threads-1
// more, each with its scratch. One call at a time.
void i2sb_share(i2sb_run run, int64_t kernel, int64_t args, int64_t n, const int64_t *scratch, int64_t threads);
#endif
