//go:build cgo && !js

#include "wgpu.h"
#include <stdlib.h>
#include <string.h>

#define MAKE(result, release)        \
  gpu_settle(d, f);                      \
  if (f->kind != GPU_OK && result) { \
    release(result);                 \
    result = 0;                      \
  }

void *gpu_buffer(gpu_device *d, const char *label, uint64_t size, int use, gpu_fault *f) {
  static const WGPUFlags usages[] = {
      [GPU_STORAGE] = 0x80 | 8 | 4, [GPU_UNIFORM] = 0x40 | 8 | 4, [GPU_STAGING] = 1 | 8, [GPU_QUERIES] = 0x200 | 4};
  WGPUBufferDescriptor desc = {.label = TEXT(label), .usage = usages[use], .size = size};
  gpu_expect(f);
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
  gpu_expect(f);
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
  gpu_expect(f);
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
  gpu_expect(f);
  void *g = wgpuDeviceCreateBindGroup(d->device, &desc);
  MAKE(g, wgpuBindGroupRelease)
  free(e);
  return g;
}

void gpu_group_free(void *group) { wgpuBindGroupRelease(group); }

void *gpu_queries(gpu_device *d, uint32_t n, gpu_fault *f) {
  WGPUQuerySetDescriptor desc = {.label = TEXT("times"), .type = Query_Timestamp, .count = n};
  gpu_expect(f);
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
