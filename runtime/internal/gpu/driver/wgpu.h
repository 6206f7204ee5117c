// What this folder's C shares: wgpu-native's functions, the device, and how
// faults come back.
#pragma once
#include "native.h"
#ifdef WEBGPU29
#include "abi29.h"
#else
#include "abi22.h"
#endif
#include <stdatomic.h>
#include <string.h>

extern void wgpuSetLogLevel(uint32_t);
extern void *wgpuCreateInstance(const WGPUInstanceDescriptor *);
extern size_t wgpuInstanceEnumerateAdapters(void *, const void *, void **);
extern uint32_t wgpuAdapterGetInfo(void *, WGPUAdapterInfo *);
extern void wgpuAdapterInfoFreeMembers(WGPUAdapterInfo);
extern WGPUBool wgpuAdapterHasFeature(void *, uint32_t), wgpuDeviceHasFeature(void *, uint32_t);
extern void *wgpuDeviceGetQueue(void *);
extern void *wgpuDeviceCreateBuffer(void *, const WGPUBufferDescriptor *);
extern void *wgpuDeviceCreateBindGroupLayout(void *, const WGPUBindGroupLayoutDescriptor *);
extern void *wgpuDeviceCreatePipelineLayout(void *, const WGPUPipelineLayoutDescriptor *);
extern void *wgpuDeviceCreateShaderModule(void *, const WGPUShaderModuleDescriptor *);
extern void *wgpuDeviceCreateComputePipeline(void *, const WGPUComputePipelineDescriptor *);
extern void *wgpuDeviceCreateBindGroup(void *, const WGPUBindGroupDescriptor *);
extern void *wgpuDeviceCreateQuerySet(void *, const WGPUQuerySetDescriptor *);
extern void *wgpuDeviceCreateCommandEncoder(void *, const WGPULabelled *);
extern void *wgpuCommandEncoderBeginComputePass(void *, const WGPUComputePassDescriptor *);
extern void wgpuCommandEncoderCopyBufferToBuffer(void *, void *, uint64_t, void *, uint64_t, uint64_t);
extern void wgpuCommandEncoderResolveQuerySet(void *, void *, uint32_t, uint32_t, void *, uint64_t);
extern void *wgpuCommandEncoderFinish(void *, const WGPULabelled *);
extern void wgpuComputePassEncoderSetPipeline(void *, void *);
extern void wgpuComputePassEncoderSetBindGroup(void *, uint32_t, void *, size_t, const uint32_t *);
extern void wgpuComputePassEncoderDispatchWorkgroups(void *, uint32_t, uint32_t, uint32_t);
extern void wgpuComputePassEncoderEnd(void *);
extern void wgpuQueueWriteBuffer(void *, void *, uint64_t, const void *, size_t);
extern uint64_t wgpuQueueSubmitForIndex(void *, size_t, void *const *);
extern WGPUBool wgpuDevicePoll(void *, WGPUBool, const void *);
extern const void *wgpuBufferGetConstMappedRange(void *, size_t, size_t);
extern void wgpuBufferUnmap(void *);
extern void wgpuBufferRelease(void *), wgpuBindGroupLayoutRelease(void *),
    wgpuPipelineLayoutRelease(void *), wgpuShaderModuleRelease(void *), wgpuComputePipelineRelease(void *), wgpuBindGroupRelease(void *),
    wgpuQuerySetRelease(void *), wgpuCommandEncoderRelease(void *), wgpuCommandBufferRelease(void *), wgpuComputePassEncoderRelease(void *);

struct gpu_device {
  void *device, *queue;
  atomic_int lost;
  char why[1024];
};

// The fault of the call that this thread is in.
extern _Thread_local gpu_fault *gpu_waiting;
void gpu_blame(int kind, const char *text, size_t n);
void gpu_expect(gpu_fault *f);
void gpu_settle(gpu_device *d, gpu_fault *f);
void gpu_mark_lost(gpu_device *d, const char *text, size_t n);

// GUARDED is a call that may panic; see fault.c.
#ifdef GPU_GUARD
#ifdef __APPLE__ // whose compiler has no builtin for it on every processor
#include <setjmp.h>
typedef jmp_buf gpu_place;
#define GPU_SET(place) _setjmp(place)
#define GPU_LEAP(place) _longjmp(place, 1)
#else
typedef void *gpu_place[5];
#define GPU_SET(place) __builtin_setjmp(place)
#define GPU_LEAP(place) __builtin_longjmp(place, 1)
#endif
extern _Thread_local gpu_place *gpu_guard;
#define GUARDED(d, call)                                                    \
  do {                                                                      \
    gpu_place here;                                                         \
    if (GPU_SET(here) == 0) {                                               \
      gpu_guard = &here;                                                    \
      call;                                                                 \
      gpu_guard = 0;                                                        \
    } else {                                                                \
      gpu_guard = 0;                                                        \
      gpu_mark_lost(d, "the driver gave up", strlen("the driver gave up")); \
    }                                                                       \
  } while (0)
#else
#define GUARDED(d, call) call
#endif

#ifdef WEBGPU29
#define CALLBACK(f, user) ((WGPUCallbackInfo){0, Mode_Spontaneous, (void *)(f), (user), 0})
#define STATUS_CALLBACK(name) static void name(uint32_t status, WGPUText text, void *user, void *unused)
#define UNUSED_STATUS (void)text, (void)unused
#else
#define STATUS_CALLBACK(name) static void name(uint32_t status, void *user)
#define UNUSED_STATUS
#endif
