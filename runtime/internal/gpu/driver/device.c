//go:build cgo && !js

#include "wgpu.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if !defined(_WIN32) && !defined(__APPLE__)
#include <dlfcn.h>
#endif

static int kind_of(uint32_t type) {
  return type == Error_Memory ? GPU_MEMORY : type == Error_Lost ? GPU_LOST : GPU_INVALID;
}

#ifdef WEBGPU29
static size_t text_len(WGPUText t) { return t.data == 0 ? 0 : t.length == SIZE_MAX ? strlen(t.data) : t.length; }
static void on_error(void *const *device, uint32_t type, WGPUText t, void *user, void *unused) {
  (void)device, (void)user, (void)unused;
  if (type != Error_None)
    gpu_blame(kind_of(type), t.data ? t.data : "", text_len(t));
}
static void on_lost(void *const *device, uint32_t reason, WGPUText t, void *user, void *unused) {
  (void)device, (void)unused;
  if (reason != Lost_Destroyed || text_len(t) > 0)
    gpu_mark_lost(user, t.data ? t.data : "", text_len(t));
}
static void on_device(uint32_t status, void *device, WGPUText t, void *user, void *unused) {
  (void)unused;
  if (status == Device_Success)
    *(void **)user = device;
  else
    gpu_blame(GPU_INVALID, t.data ? t.data : "", text_len(t));
}
static void copy_text(char *to, WGPUText t) { snprintf(to, 256, "%.*s", (int)text_len(t), t.data ? t.data : ""); }
#else
static void on_error(uint32_t type, const char *t, void *user) {
  (void)user;
  if (type != Error_None)
    gpu_blame(kind_of(type), t ? t : "", t ? strlen(t) : 0);
}
static void on_lost(uint32_t reason, const char *t, void *user) {
  (void)reason;
  gpu_mark_lost(user, t ? t : "", t ? strlen(t) : 0);
}
static void on_device(uint32_t status, void *device, const char *t, void *user) {
  if (status == Device_Success)
    *(void **)user = device;
  else
    gpu_blame(GPU_INVALID, t ? t : "", t ? strlen(t) : 0);
}
static void copy_text(char *to, const char *t) { snprintf(to, 256, "%s", t ? t : ""); }
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
  gpu_expect(f);
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
  gpu_waiting = 0;
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
