//go:build cgo && !js

#define _GNU_SOURCE // RTLD_NEXT
#include "wgpu.h"
#ifdef GPU_GUARD_FIRST
#include <dlfcn.h>
#endif
#include <stdio.h>
#include <string.h>

// Errors come to a callback of the device, on the thread whose call caused
// them; the call's fault waits there. So calls of other goroutines, also
// pipelines that are compiled at the same time, keep their errors apart.
_Thread_local gpu_fault *gpu_waiting;

void gpu_blame(int kind, const char *text, size_t n) {
  gpu_fault *f = gpu_waiting;
  if (!f || f->kind != GPU_OK)
    return;
  f->kind = kind;
  if (n > sizeof f->text - 1)
    n = sizeof f->text - 1;
  memcpy(f->text, text, n);
  f->text[n] = 0;
}

void gpu_expect(gpu_fault *f) {
  f->kind = GPU_OK;
  f->text[0] = 0;
  gpu_waiting = f;
}

void gpu_settle(gpu_device *d, gpu_fault *f) {
  gpu_waiting = 0;
  if (atomic_load(&d->lost) && f->kind != GPU_LOST) {
    f->kind = GPU_LOST;
    snprintf(f->text, sizeof f->text, "%s", d->why);
  }
}

void gpu_mark_lost(gpu_device *d, const char *text, size_t n) {
  if (n > sizeof d->why - 1)
    n = sizeof d->why - 1;
  if (!d->why[0])
    memcpy(d->why, text, n);
  atomic_store(&d->lost, 1);
}

// This version of wgpu-native panics where a submit or a poll fails, as when
// the device is lost. A panic starts with _Unwind_RaiseException, which the
// linker leads to us; then the device is lost, and the process lives. By then
// wgpu has given back its locks.
#ifdef GPU_GUARD
_Thread_local gpu_place *gpu_guard;
static int raise_exception(void *exception, int (*real)(void *)) {
  if (gpu_guard)
    GPU_LEAP(*gpu_guard);
  return real(exception);
}
#ifdef GPU_GUARD_FIRST
// This linker cannot wrap, but it prefers what a program defines to what a
// library of the system does, for the program's own objects.
int _Unwind_RaiseException(void *exception) { return raise_exception(exception, (int (*)(void *))dlsym(RTLD_NEXT, "_Unwind_RaiseException")); }
#else
extern int __real__Unwind_RaiseException(void *);
int __wrap__Unwind_RaiseException(void *exception) { return raise_exception(exception, __real__Unwind_RaiseException); }
#endif
#endif
