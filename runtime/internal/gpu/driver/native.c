//go:build cgo && !js

#include "native.h"
#ifdef WEBGPU29
#include "abi29.h"
#else
#include "abi22.h"
#endif
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if !defined(_WIN32) && !defined(__APPLE__)
#include <dlfcn.h>
#endif

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

// Errors come to a callback of the device, on the thread whose call caused
// them; the call's fault waits there. So calls of other goroutines, also
// pipelines that are compiled at the same time, keep their errors apart.
static _Thread_local gpu_fault *waiting;

static void blame(int kind, const char *text, size_t n) {
  gpu_fault *f = waiting;
  if (!f || f->kind != GPU_OK)
    return;
  f->kind = kind;
  if (n > sizeof f->text - 1)
    n = sizeof f->text - 1;
  memcpy(f->text, text, n);
  f->text[n] = 0;
}

static void expect(gpu_fault *f) {
  f->kind = GPU_OK;
  f->text[0] = 0;
  waiting = f;
}

static void settle(gpu_device *d, gpu_fault *f) {
  waiting = 0;
  if (atomic_load(&d->lost) && f->kind != GPU_LOST) {
    f->kind = GPU_LOST;
    snprintf(f->text, sizeof f->text, "%s", d->why);
  }
}

static void mark_lost(gpu_device *d, const char *text, size_t n) {
  if (n > sizeof d->why - 1)
    n = sizeof d->why - 1;
  if (!d->why[0])
    memcpy(d->why, text, n);
  atomic_store(&d->lost, 1);
}

static int kind_of(uint32_t type) {
  return type == Error_Memory ? GPU_MEMORY : type == Error_Lost ? GPU_LOST : GPU_INVALID;
}

#ifdef WEBGPU29
static size_t text_len(WGPUText t) { return t.data == 0 ? 0 : t.length == SIZE_MAX ? strlen(t.data) : t.length; }
static void on_error(void *const *device, uint32_t type, WGPUText t, void *user, void *unused) {
  (void)device, (void)user, (void)unused;
  if (type != Error_None)
    blame(kind_of(type), t.data ? t.data : "", text_len(t));
}
static void on_lost(void *const *device, uint32_t reason, WGPUText t, void *user, void *unused) {
  (void)device, (void)unused;
  if (reason != Lost_Destroyed || text_len(t) > 0)
    mark_lost(user, t.data ? t.data : "", text_len(t));
}
static void on_device(uint32_t status, void *device, WGPUText t, void *user, void *unused) {
  (void)unused;
  if (status == Device_Success)
    *(void **)user = device;
  else
    blame(GPU_INVALID, t.data ? t.data : "", text_len(t));
}
#define CALLBACK(f, user) ((WGPUCallbackInfo){0, Mode_Spontaneous, (void *)(f), (user), 0})
#define STATUS_CALLBACK(name) static void name(uint32_t status, WGPUText text, void *user, void *unused)
#define UNUSED_STATUS (void)text, (void)unused
static void copy_text(char *to, WGPUText t) { snprintf(to, 256, "%.*s", (int)text_len(t), t.data ? t.data : ""); }
#else
static void on_error(uint32_t type, const char *t, void *user) {
  (void)user;
  if (type != Error_None)
    blame(kind_of(type), t ? t : "", t ? strlen(t) : 0);
}
static void on_lost(uint32_t reason, const char *t, void *user) {
  (void)reason;
  mark_lost(user, t ? t : "", t ? strlen(t) : 0);
}
static void on_device(uint32_t status, void *device, const char *t, void *user) {
  if (status == Device_Success)
    *(void **)user = device;
  else
    blame(GPU_INVALID, t ? t : "", t ? strlen(t) : 0);
}
#define STATUS_CALLBACK(name) static void name(uint32_t status, void *user)
#define UNUSED_STATUS
static void copy_text(char *to, const char *t) { snprintf(to, 256, "%s", t ? t : ""); }
#endif

// This version of wgpu-native panics where a submit or a poll fails, as when
// the device is lost. A panic starts with _Unwind_RaiseException, which the
// linker leads to us where it can; then the device is lost, and the process
// lives. By then wgpu has given back its locks.
#ifdef GPU_GUARD
static _Thread_local void **guard;
extern int __real__Unwind_RaiseException(void *);
int __wrap__Unwind_RaiseException(void *exception) {
  if (guard)
    __builtin_longjmp(guard, 1);
  return __real__Unwind_RaiseException(exception);
}
#define GUARDED(d, call)                                              \
  do {                                                                \
    void *here[5];                                                    \
    if (__builtin_setjmp(here) == 0) {                                \
      guard = here;                                                   \
      call;                                                           \
      guard = 0;                                                      \
    } else {                                                          \
      guard = 0;                                                      \
      mark_lost(d, "the driver gave up", strlen("the driver gave up")); \
    }                                                                 \
  } while (0)
#else
#define GUARDED(d, call) call
#endif

bool gpu_loader(void) {
#if defined(_WIN32) || defined(__APPLE__)
  return true; // Direct3D 12 and Metal are parts of the system
#else
  void *l = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  return l != 0; // kept open: wgpu opens it anyway
#endif
}

void *gpu_instance(void) {
  wgpuSetLogLevel(0); // what it would print comes back as errors
#ifdef __linux__
  // A layer of Mesa's asks the display which card is its own, and complains on
  // standard error where there is no display.
  if (!getenv("XDG_RUNTIME_DIR"))
    setenv("NODEVICE_SELECT", "1", 0);
#endif
  WGPUInstanceExtras extras = {.chain = {0, SType_InstanceExtras}, .backends = Backend_Vulkan | Backend_Metal | Backend_DX12};
  WGPUInstanceDescriptor desc = {.next = &extras};
  return wgpuCreateInstance(&desc);
}

size_t gpu_adapters(void *instance, void **adapters, size_t n) {
  size_t have = wgpuInstanceEnumerateAdapters(instance, 0, 0);
  if (adapters && have <= n)
    wgpuInstanceEnumerateAdapters(instance, 0, adapters);
  return have;
}

static void simple_limits(const WGPULimits *l, gpu_limits *to) {
  *to = (gpu_limits){l->bufferSize, l->storageBinding, l->storageBuffers, l->workgroups, l->invocations, l->workgroupStorage};
  if (l->sizeX < to->invocations)
    to->invocations = l->sizeX;
}

static uint32_t features_of(void *of, WGPUBool (*has)(void *, uint32_t)) {
  return (has(of, Feature_F16) ? GPU_F16 : 0) | (Feature_Subgroups && has(of, Feature_Subgroups) ? GPU_SUBGROUPS : 0) |
         (has(of, Feature_Timestamps) ? GPU_TIMESTAMPS : 0);
}

void gpu_adapter_info(void *adapter, gpu_info *info) {
  WGPUAdapterInfo a = {0};
  wgpuAdapterGetInfo(adapter, &a);
  copy_text(info->vendor, a.vendor);
  copy_text(info->device, a.device);
  copy_text(info->description, a.description);
  info->vendor_id = a.vendorID;
  info->backend = a.backend;
  info->type = a.type == Adapter_Discrete ? GPU_DISCRETE : a.type == Adapter_Integrated ? GPU_INTEGRATED : a.type == Adapter_CPU ? GPU_SOFTWARE : GPU_OTHER;
  wgpuAdapterInfoFreeMembers(a);
  WGPULimits l;
  get_limits(adapter, &l, wgpuAdapterGetLimits);
  simple_limits(&l, &info->limits);
  info->features = features_of(adapter, wgpuAdapterHasFeature);
}

gpu_device *gpu_device_open(void *adapter, const gpu_limits *want, uint32_t features, gpu_fault *f) {
  gpu_device *d = calloc(1, sizeof *d);
  WGPULimits limits;
  memset(&limits, 0xff, sizeof limits); // undefined: the defaults
#ifdef WEBGPU29
  limits.next = 0;
#endif
  limits.bufferSize = want->buffer;
  limits.storageBinding = want->binding;
  limits.storageBuffers = want->storage_buffers;
  limits.workgroups = want->workgroups;
  limits.invocations = limits.sizeX = limits.sizeY = want->invocations;
  limits.workgroupStorage = want->workgroup_memory;
  uint32_t list[3];
  size_t n = 0;
  if (features & GPU_F16)
    list[n++] = Feature_F16;
  if (features & GPU_SUBGROUPS)
    list[n++] = Feature_Subgroups;
  if (features & GPU_TIMESTAMPS)
    list[n++] = Feature_Timestamps;
  WGPUDeviceDescriptor desc = {.featureCount = n, .features = list, .limits = LIMITS_OF(&limits)};
  expect(f);
#ifdef WEBGPU29
  desc.lost = CALLBACK(on_lost, d);
  desc.error = (WGPUErrorInfo){0, (void *)on_error, 0, 0};
  wgpuAdapterRequestDevice(adapter, &desc, CALLBACK(on_device, &d->device));
#else
  desc.lost = on_lost;
  desc.lostUser = d;
  desc.error.callback = on_error;
  wgpuAdapterRequestDevice(adapter, &desc, on_device, &d->device);
#endif
  waiting = 0;
  if (!d->device) {
    if (f->kind == GPU_OK)
      *f = (gpu_fault){GPU_INVALID, "the adapter gives no device"};
    free(d);
    return 0;
  }
  d->queue = wgpuDeviceGetQueue(d->device);
  return d;
}

void gpu_device_granted(gpu_device *d, gpu_limits *limits, uint32_t *features) {
  WGPULimits l;
  get_limits(d->device, &l, wgpuDeviceGetLimits);
  simple_limits(&l, limits);
  *features = features_of(d->device, wgpuDeviceHasFeature);
}

#define MAKE(result, release)        \
  settle(d, f);                      \
  if (f->kind != GPU_OK && result) { \
    release(result);                 \
    result = 0;                      \
  }

void *gpu_buffer(gpu_device *d, const char *label, uint64_t size, int use, gpu_fault *f) {
  static const WGPUFlags usages[] = {
      [GPU_STORAGE] = 0x80 | 8 | 4, [GPU_UNIFORM] = 0x40 | 8 | 4, [GPU_STAGING] = 1 | 8, [GPU_QUERIES] = 0x200 | 4};
  WGPUBufferDescriptor desc = {.label = TEXT(label), .usage = usages[use], .size = size};
  expect(f);
  void *b = wgpuDeviceCreateBuffer(d->device, &desc);
  MAKE(b, wgpuBufferRelease)
  return b;
}

void gpu_buffer_free(void *buffer) { wgpuBufferRelease(buffer); }

void *gpu_layout(gpu_device *d, const char *label, const uint8_t *bindings, size_t n, gpu_fault *f) {
  static const uint32_t types[] = {[GPU_READ_ONLY] = Binding_ReadOnly, [GPU_READ_WRITE] = Binding_Storage, [GPU_PARAMS] = Binding_Uniform};
  WGPULayoutEntry *e = calloc(n + 1, sizeof *e);
  for (size_t i = 0; i < n; i++) {
    e[i].binding = i;
    e[i].visibility = 4; // compute
    e[i].buffer.type = types[bindings[i]];
  }
  WGPUBindGroupLayoutDescriptor desc = {.label = TEXT(label), .n = n, .entries = e};
  expect(f);
  void *l = wgpuDeviceCreateBindGroupLayout(d->device, &desc);
  MAKE(l, wgpuBindGroupLayoutRelease)
  free(e);
  return l;
}

void gpu_layout_free(void *layout) { wgpuBindGroupLayoutRelease(layout); }

void *gpu_pipeline(gpu_device *d, const char *label, const char *wgsl, void *layout, gpu_fault *f) {
  WGPUWGSL code = {.chain = {0, SType_WGSL}, .code = TEXT(wgsl)};
  WGPUShaderModuleDescriptor module = {.next = &code, .label = TEXT(label)};
  void *p = 0;
  expect(f);
  void *m = MODULE(d->device, &module);
  if (f->kind == GPU_OK) {
    WGPUPipelineLayoutDescriptor layouts = {.label = TEXT(label), .n = 1, .layouts = &layout};
    void *l = wgpuDeviceCreatePipelineLayout(d->device, &layouts);
    if (f->kind == GPU_OK) {
      WGPUComputePipelineDescriptor desc = {.label = TEXT(label), .layout = l, .compute = {.module = m, .entry = TEXT("main")}};
      p = wgpuDeviceCreateComputePipeline(d->device, &desc);
    }
    if (l)
      wgpuPipelineLayoutRelease(l);
  }
  if (m)
    wgpuShaderModuleRelease(m);
  MAKE(p, wgpuComputePipelineRelease)
  return p;
}

void gpu_pipeline_free(void *pipeline) { wgpuComputePipelineRelease(pipeline); }

void *gpu_group(gpu_device *d, const char *label, void *layout, void *const *buffers, const uint64_t *offsets, const uint64_t *sizes, size_t n, gpu_fault *f) {
  WGPUGroupEntry *e = calloc(n + 1, sizeof *e);
  for (size_t i = 0; i < n; i++)
    e[i] = (WGPUGroupEntry){.binding = i, .buffer = buffers[i], .offset = offsets[i], .size = sizes[i]};
  WGPUBindGroupDescriptor desc = {.label = TEXT(label), .layout = layout, .n = n, .entries = e};
  expect(f);
  void *g = wgpuDeviceCreateBindGroup(d->device, &desc);
  MAKE(g, wgpuBindGroupRelease)
  free(e);
  return g;
}

void gpu_group_free(void *group) { wgpuBindGroupRelease(group); }

void *gpu_queries(gpu_device *d, uint32_t n, gpu_fault *f) {
  WGPUQuerySetDescriptor desc = {.label = TEXT("times"), .type = Query_Timestamp, .count = n};
  expect(f);
  void *q = wgpuDeviceCreateQuerySet(d->device, &desc);
  MAKE(q, wgpuQuerySetRelease)
  return q;
}

void gpu_queries_free(void *queries) { wgpuQuerySetRelease(queries); }

gpu_command *gpu_commands_hold(const gpu_command *c, size_t n) {
  gpu_command *own = malloc((n + 1) * sizeof *own);
  memcpy(own, c, n * sizeof *own);
  for (size_t i = 0; i < n; i++) {
    if (c[i].pipeline) {
      wgpuComputePipelineAddRef(c[i].pipeline);
      wgpuBindGroupAddRef(c[i].group);
    } else {
      wgpuBufferAddRef(c[i].from);
      wgpuBufferAddRef(c[i].to);
    }
  }
  return own;
}

void gpu_commands_drop(gpu_command *c, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (c[i].pipeline) {
      wgpuComputePipelineRelease(c[i].pipeline);
      wgpuBindGroupRelease(c[i].group);
    } else {
      wgpuBufferRelease(c[i].from);
      wgpuBufferRelease(c[i].to);
    }
  }
  free(c);
}

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
  expect(f);
  void *encoder = wgpuDeviceCreateCommandEncoder(d->device, &desc);
  if (f->kind != GPU_OK) { // nothing can be encoded
    settle(d, f);
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
  settle(d, f);
}

void gpu_write(gpu_device *d, void *buffer, uint64_t offset, const void *data, size_t size, gpu_fault *f) {
  expect(f);
  wgpuQueueWriteBuffer(d->queue, buffer, offset, data, size);
  settle(d, f);
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
  expect(f);
#ifdef WEBGPU29
  wgpuQueueOnSubmittedWorkDone(d->queue, CALLBACK(on_done, t));
#else
  GUARDED(d, wgpuQueueOnSubmittedWorkDone(d->queue, on_done, t));
#endif
  settle(d, f);
  return t;
}

gpu_ticket *gpu_map(gpu_device *d, void *staging, uint64_t size, gpu_fault *f) {
  gpu_ticket *t = new_ticket();
  expect(f);
#ifdef WEBGPU29
  wgpuBufferMapAsync(staging, 1, 0, size, CALLBACK(on_mapped, t));
#else
  GUARDED(d, wgpuBufferMapAsync(staging, 1, 0, size, on_mapped, t));
#endif
  settle(d, f);
  return t;
}

void gpu_poll(gpu_device *d, gpu_fault *f) {
  expect(f);
  GUARDED(d, wgpuDevicePoll(d->device, 0, 0));
  settle(d, f);
}

bool gpu_unmap(void *staging, void *data, uint64_t size, gpu_fault *f) {
  expect(f);
  const void *from = wgpuBufferGetConstMappedRange(staging, 0, size);
  if (from)
    memcpy(data, from, size);
  wgpuBufferUnmap(staging);
  waiting = 0;
  return from != 0 && f->kind == GPU_OK;
}
