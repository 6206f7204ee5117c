//go:build cgo && !js

#include "wgpu.h"
#include <stdlib.h>
#include <string.h>

static void end_pass(void **pass) {
  if (!*pass)
    return;
  wgpuComputePassEncoderEnd(*pass);
  wgpuComputePassEncoderRelease(*pass);
  *pass = 0;
}

// encode returns how many queries it wrote: two for every dispatch.
static uint32_t encode(void *encoder, const gpu_command *c, size_t n, void *queries) {
  void *pass = 0, *pipeline = 0;
  uint32_t q = 0;
  for (size_t i = 0; i < n; i++) {
    if (!c[i].pipeline) {
      end_pass(&pass);
      wgpuCommandEncoderCopyBufferToBuffer(encoder, c[i].from, c[i].from_at, c[i].to, c[i].to_at, c[i].size);
      continue;
    }
    if (!pass) {
      WGPUTimestampWrites times = {.set = queries, .begin = q, .end = q + 1};
      q += 2;
      WGPUComputePassDescriptor desc = {.times = queries ? &times : 0};
      pass = wgpuCommandEncoderBeginComputePass(encoder, &desc);
      pipeline = 0;
    }
    if (c[i].pipeline != pipeline)
      wgpuComputePassEncoderSetPipeline(pass, pipeline = c[i].pipeline);
    wgpuComputePassEncoderSetBindGroup(pass, 0, c[i].group, 0, 0);
    wgpuComputePassEncoderDispatchWorkgroups(pass, c[i].x, c[i].y, c[i].z);
    if (queries)
      end_pass(&pass);
  }
  end_pass(&pass);
  return q;
}

void gpu_submit(gpu_device *d, const char *label, const gpu_command *c, size_t n, bool dry, void *queries, void *resolved, gpu_fault *f) {
  WGPULabelled desc = {.label = TEXT(label)};
  gpu_expect(f);
  void *encoder = wgpuDeviceCreateCommandEncoder(d->device, &desc);
  if (f->kind != GPU_OK) { // nothing can be encoded
    gpu_settle(d, f);
    return;
  }
  uint32_t q = encode(encoder, c, n, queries);
  if (queries && q > 0)
    wgpuCommandEncoderResolveQuerySet(encoder, queries, 0, q, resolved, 0);
  void *commands = wgpuCommandEncoderFinish(encoder, &desc);
  if (f->kind == GPU_OK && !dry && !atomic_load(&d->lost))
    GUARDED(d, wgpuQueueSubmitForIndex(d->queue, 1, &commands));
  if (!atomic_load(&d->lost)) {
    if (commands)
      wgpuCommandBufferRelease(commands);
    wgpuCommandEncoderRelease(encoder);
  }
  gpu_settle(d, f);
}

void gpu_write(gpu_device *d, void *buffer, uint64_t offset, const void *data, size_t size, gpu_fault *f) {
  gpu_expect(f);
  wgpuQueueWriteBuffer(d->queue, buffer, offset, data, size);
  gpu_settle(d, f);
}

float gpu_timestamp_period(gpu_device *d) {
#ifdef WEBGPU29
  return wgpuQueueGetTimestampPeriod(d->queue);
#else
  (void)d;
  return 0;
#endif
}

// A ticket is freed by whoever is second: its callback or gpu_ticket_free.
struct gpu_ticket {
  atomic_int state, seen;
};

static gpu_ticket *new_ticket(void) { return calloc(1, sizeof(gpu_ticket)); }

static void come(gpu_ticket *t, int state) {
  atomic_store(&t->state, state);
  if (atomic_exchange(&t->seen, 1))
    free(t);
}

void gpu_ticket_free(gpu_ticket *t) {
  if (atomic_exchange(&t->seen, 1))
    free(t);
}

int gpu_ticket_state(gpu_ticket *t) { return atomic_load(&t->state); }

STATUS_CALLBACK(on_done) {
  UNUSED_STATUS;
  come(user, status == Done_Success ? 1 : 2);
}

STATUS_CALLBACK(on_mapped) {
  UNUSED_STATUS;
  come(user, status == Map_Success ? 1 : 2);
}

gpu_ticket *gpu_done(gpu_device *d, gpu_fault *f) {
  gpu_ticket *t = new_ticket();
  gpu_expect(f);
#ifdef WEBGPU29
  GUARDED(d, wgpuQueueOnSubmittedWorkDone(d->queue, CALLBACK(on_done, t)));
#else
  GUARDED(d, wgpuQueueOnSubmittedWorkDone(d->queue, on_done, t));
#endif
  gpu_settle(d, f);
  return t;
}

gpu_ticket *gpu_map(gpu_device *d, void *staging, uint64_t size, gpu_fault *f) {
  gpu_ticket *t = new_ticket();
  gpu_expect(f);
#ifdef WEBGPU29
  GUARDED(d, wgpuBufferMapAsync(staging, 1, 0, size, CALLBACK(on_mapped, t)));
#else
  GUARDED(d, wgpuBufferMapAsync(staging, 1, 0, size, on_mapped, t));
#endif
  gpu_settle(d, f);
  return t;
}

void gpu_poll(gpu_device *d, gpu_fault *f) {
  gpu_expect(f);
  GUARDED(d, wgpuDevicePoll(d->device, 0, 0));
  gpu_settle(d, f);
}

bool gpu_unmap(void *staging, void *data, uint64_t size, gpu_fault *f) {
  gpu_expect(f);
  const void *from = wgpuBufferGetConstMappedRange(staging, 0, size);
  if (from)
    memcpy(data, from, size);
  wgpuBufferUnmap(staging);
  gpu_waiting = 0;
  return from != 0 && f->kind == GPU_OK;
}
