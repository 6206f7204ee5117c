//go:build cgo && (amd64 || arm64)

// The threads that share out native kernels' items on Linux. They are not Go's:
// no scheduler but the system's comes between a loop and them, so a loop begins
// and ends within a microsecond, and Go's processors stay free for goroutines.

#define _GNU_SOURCE
#include "native.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// What a helper does. Its caller offers a loop and withdraws the offer when no
// items are left, so that nobody waits for a helper that has not begun.
enum { IDLE, ASLEEP, OFFERED, TAKEN, AWAITED };

#define MOST 512

// The caller is the first, the others are helpers.
static struct worker {
  _Alignas(64) _Atomic uint32_t state;
  _Atomic int cpu;  // where it ran last
  int64_t scratch;
  pid_t tid;
  int placed;         // its mask is narrowed; allowed is what it was
  cpu_set_t allowed;
  _Alignas(64) _Atomic int64_t next;  // of its share of the items
  int64_t end;
} workers[MOST];
static int recruited = 1;

// The loop that is shared, one at a time.
static struct {
  i2sb_run run;
  int64_t kernel, args;
  int workers;
} loop;

// Looking costs less than sleeping and being woken, but keeps a processor from
// others: a helper looks for the next loop, a caller for the end of its own.
#define PATIENCE 200000  // ns

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void rest(void) {
#ifdef __x86_64__
  for (int i = 0; i < 4; i++) __builtin_ia32_pause();
#else
  for (int i = 0; i < 4; i++) __asm__ volatile("yield");
#endif
}

static void futex(_Atomic uint32_t *at, int op, uint32_t value) { syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0); }

// take computes items of a share until there are none left, fewer at a time
// towards the end.
static void take(struct worker *share, int64_t scratch) {
  for (int64_t from = atomic_load(&share->next); from < share->end;) {
    int64_t some = (share->end - from + 7) / 8;
    if (!atomic_compare_exchange_weak(&share->next, &from, from + some)) continue;
    loop.run(loop.kernel, loop.args, from, from + some, scratch);
    from = atomic_load(&share->next);
  }
}

// take_all begins with the worker's own share, which is the same part of most
// loops, so that it finds in its cache what it wrote; then it helps the others.
static void take_all(int w) {
  for (int i = 0; i < loop.workers; i++) take(&workers[(w + i) % loop.workers], workers[w].scratch);
}

// help is a helper's life.
static void *help(void *p) {
  struct worker *h = p;
  h->tid = (pid_t)syscall(SYS_gettid);
  for (int64_t since = now();;) {
    uint32_t idle = IDLE, offered = OFFERED;
    if (atomic_compare_exchange_strong(&h->state, &offered, TAKEN)) {
      if (h->placed) sched_setaffinity(0, sizeof h->allowed, &h->allowed), h->placed = 0;
      atomic_store(&h->cpu, sched_getcpu());
      take_all((int)(h - workers));
      if (atomic_exchange(&h->state, IDLE) == AWAITED) futex(&h->state, FUTEX_WAKE, 1);
      since = now();
    } else if (now() - since < PATIENCE) {
      rest();
    } else if (atomic_compare_exchange_strong(&h->state, &idle, ASLEEP)) {
      while (atomic_load(&h->state) == ASLEEP) futex(&h->state, FUTEX_WAIT, ASLEEP);
      since = now();
    }
  }
  return NULL;
}

// recruit starts a helper; signals are for Go's threads.
static int recruit(struct worker *h) {
  pthread_attr_t attr;
  sigset_t all, before;
  pthread_t thread;
  h->cpu = -1;
  sigfillset(&all);
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 1 << 20);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&thread, &attr, help, h);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attr);
  return !failed;
}

// place moves a helper off the caller's processor, where the system may have
// woken it and would leave it for many loops, to one that no other helper of
// the loop is on. It may move on from there: its mask is widened when it runs.
static void place(struct worker *h, int cpu) {
  if (!h->placed && sched_getaffinity(h->tid, sizeof h->allowed, &h->allowed)) return;
  cpu_set_t others = h->allowed;
  CPU_CLR(cpu, &others);
  for (int i = 1; i < loop.workers; i++) {
    int at = atomic_load(&workers[i].cpu);
    if (&workers[i] != h && at >= 0 && at < CPU_SETSIZE) CPU_CLR(at, &others);
  }
  if (CPU_COUNT(&others)) h->placed = 1, sched_setaffinity(h->tid, sizeof others, &others);
}

// await returns when a helper has done what it took.
static void await(struct worker *h) {
  for (int64_t since = now();;) {
    uint32_t taken = TAKEN;
    if (atomic_load(&h->state) < TAKEN) return;
    if (now() - since < PATIENCE && atomic_load(&h->cpu) != sched_getcpu()) {
      rest();
    } else if (atomic_compare_exchange_strong(&h->state, &taken, AWAITED) || taken == AWAITED) {
      futex(&h->state, FUTEX_WAIT, AWAITED);
    }
  }
}

void i2sb_share(i2sb_run run, int64_t kernel, int64_t args, int64_t n, const int64_t *scratch, int64_t threads) {
  int some = threads < MOST ? (int)threads : MOST, cpu = sched_getcpu();
  while (recruited < some && recruit(&workers[recruited])) recruited++;
  if (some > recruited) some = recruited; // as many as the system lets there be
  loop.run = run, loop.kernel = kernel, loop.args = args, loop.workers = some;
  for (int i = 0; i < some; i++) {
    workers[i].scratch = scratch[i];
    workers[i].next = n * i / some;
    workers[i].end = n * (i + 1) / some;
  }
  for (int i = 1; i < some; i++) {
    struct worker *h = &workers[i];
    if (atomic_load(&h->cpu) == cpu) place(h, cpu);
    if (atomic_exchange(&h->state, OFFERED) == ASLEEP) futex(&h->state, FUTEX_WAKE, 1);
  }
  take_all(0);
  for (int i = 1; i < some; i++) {
    uint32_t offered = OFFERED;
    if (!atomic_compare_exchange_strong(&workers[i].state, &offered, IDLE)) await(&workers[i]);
  }
}
