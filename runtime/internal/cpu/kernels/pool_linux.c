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
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// What a helper does. Its caller offers a loop and withdraws the offer when no
// items are left, so that nobody waits for a helper that has not begun.
enum { IDLE, ASLEEP, OFFERED, TAKEN, AWAITED };

struct helper {
  _Alignas(64) _Atomic uint32_t state;
  _Atomic int cpu;     // where it ran last
  int64_t scratch;     // for the loop that is offered
  pid_t tid;
  int placed;          // its mask is narrowed; allowed is what it was
  cpu_set_t allowed;
  struct helper *next;
};

// The loop that is shared, one at a time.
static struct {
  i2sb_run run;
  int64_t kernel, args, n, step, threads;
  _Alignas(64) _Atomic int64_t next;
} loop;

static struct helper *first;

// Looking costs less than sleeping and being woken, but keeps a processor from
// others: a helper looks for the next loop, and a caller for the end of its own.
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

// take computes items until there are none left: step at a time, fewer towards
// the end, so that all end together.
static void take(int64_t scratch) {
  for (int64_t from = atomic_load(&loop.next); from < loop.n;) {
    int64_t some = (loop.n - from) / (2 * loop.threads);
    some = some < 1 ? 1 : some < loop.step ? some : loop.step;
    if (!atomic_compare_exchange_weak(&loop.next, &from, from + some)) continue;
    loop.run(loop.kernel, loop.args, from, from + some, scratch);
    from = atomic_load(&loop.next);
  }
}

// help is a helper's life.
static void *help(void *p) {
  struct helper *h = p;
  h->tid = (pid_t)syscall(SYS_gettid);
  for (int64_t since = now();;) {
    uint32_t idle = IDLE, offered = OFFERED;
    if (atomic_compare_exchange_strong(&h->state, &offered, TAKEN)) {
      if (h->placed) sched_setaffinity(0, sizeof h->allowed, &h->allowed), h->placed = 0;
      atomic_store(&h->cpu, sched_getcpu());
      take(h->scratch);
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
static struct helper *recruit(void) {
  struct helper *h = aligned_alloc(64, (sizeof *h + 63) / 64 * 64);
  if (!h) return NULL;
  *h = (struct helper){.cpu = -1};
  pthread_attr_t attr;
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 1 << 20);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&thread, &attr, help, h);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attr);
  if (!failed) return h;
  free(h);
  return NULL;
}

// place moves a helper off the caller's processor, where the system may have
// woken it and would leave it for many loops, to one that no other helper of
// the loop is on. It may move on from there: its mask is widened when it runs.
static void place(struct helper *h, int cpu, int helpers) {
  if (!h->placed && sched_getaffinity(h->tid, sizeof h->allowed, &h->allowed)) return;
  cpu_set_t others = h->allowed;
  CPU_CLR(cpu, &others);
  struct helper *o = first;
  for (int i = 0; i < helpers; i++, o = o->next) {
    int at = atomic_load(&o->cpu);
    if (o != h && at >= 0 && at < CPU_SETSIZE) CPU_CLR(at, &others);
  }
  if (CPU_COUNT(&others)) h->placed = 1, sched_setaffinity(h->tid, sizeof others, &others);
}

// await returns when a helper has done what it took.
static void await(struct helper *h) {
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

void i2sb_share(i2sb_run run, int64_t kernel, int64_t args, int64_t n, int64_t step, const int64_t *scratch, int64_t threads) {
  loop.run = run, loop.kernel = kernel, loop.args = args, loop.n = n, loop.step = step, loop.threads = threads;
  atomic_store(&loop.next, 0);
  int helpers = 0, cpu = sched_getcpu();
  for (struct helper **at = &first; helpers < threads - 1; at = &(*at)->next, helpers++)
    if (!*at && !(*at = recruit())) break; // the others do its items
  struct helper *h = first;
  for (int i = 0; i < helpers; i++, h = h->next) {
    h->scratch = scratch[i + 1];
    if (atomic_load(&h->cpu) == cpu) place(h, cpu, helpers);
    if (atomic_exchange(&h->state, OFFERED) == ASLEEP) futex(&h->state, FUTEX_WAKE, 1);
  }
  take(scratch[0]);
  h = first;
  for (int i = 0; i < helpers; i++, h = h->next) {
    uint32_t offered = OFFERED;
    if (!atomic_compare_exchange_strong(&h->state, &offered, IDLE)) await(h);
  }
}
