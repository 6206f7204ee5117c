// What native.go asks of wgpu-native: whole submits and waits, so that a call
// from Go is worth its price. Every call that can fail fills a gpu_fault, on the
// thread that made the call.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Kinds of fault, as driver.Kind; GPU_OK is no fault.
enum { GPU_OK = -1, GPU_INVALID = 0, GPU_MEMORY = 1, GPU_LOST = 2 };

typedef struct {
  int32_t kind;
  char text[2044];
} gpu_fault;

typedef struct {
  uint64_t buffer, binding;
  uint32_t storage_buffers, workgroups, invocations, workgroup_memory;
} gpu_limits;

enum { GPU_F16 = 1, GPU_SUBGROUPS = 2, GPU_TIMESTAMPS = 4 };

typedef struct {
  char vendor[256], device[256], description[256];
  uint32_t vendor_id, backend, type, features;
  gpu_limits limits;
} gpu_info;

enum { GPU_DISCRETE, GPU_INTEGRATED, GPU_SOFTWARE, GPU_OTHER }; // types

typedef struct gpu_device gpu_device;
typedef struct gpu_ticket gpu_ticket; // something that the device will tell later

typedef struct {
  void *pipeline, *group; // a dispatch
  uint32_t x, y, z;
  void *from, *to; // or a copy
  uint64_t from_at, to_at, size;
} gpu_command;

bool gpu_loader(void); // is there a library to find adapters with
void *gpu_instance(void);
size_t gpu_adapters(void *instance, void **adapters, size_t n);
void gpu_adapter_info(void *adapter, gpu_info *info);
// gpu_vulkan_driver writes the driver of Vulkan's card of that name, with its
// version; nothing if there is none.
void gpu_vulkan_driver(uint32_t vendor, const char *name, char *to, size_t n);

// There is no closing a device: this wgpu-native mixes up those opened after one
// that was closed. Devices are used again.
gpu_device *gpu_device_open(void *adapter, const gpu_limits *want, uint32_t features, gpu_fault *f);
void gpu_device_granted(gpu_device *d, gpu_limits *limits, uint32_t *features);

enum { GPU_STORAGE, GPU_UNIFORM, GPU_STAGING, GPU_QUERIES }; // buffers
enum { GPU_READ_ONLY, GPU_READ_WRITE, GPU_PARAMS };          // bindings

void *gpu_buffer(gpu_device *d, const char *label, uint64_t size, int use, gpu_fault *f);
void gpu_buffer_free(void *buffer);
void *gpu_layout(gpu_device *d, const char *label, const uint8_t *bindings, size_t n, gpu_fault *f);
void gpu_layout_free(void *layout);
void *gpu_pipeline(gpu_device *d, const char *label, const char *wgsl, void *layout, gpu_fault *f);
void gpu_pipeline_free(void *pipeline);
void *gpu_group(gpu_device *d, const char *label, void *layout, void *const *buffers, const uint64_t *offsets, const uint64_t *sizes, size_t n, gpu_fault *f);
void gpu_group_free(void *group);
void *gpu_queries(gpu_device *d, uint32_t n, gpu_fault *f);
void gpu_queries_free(void *queries);

// Commands keep what they name alive from gpu_commands_hold to gpu_commands_drop.
gpu_command *gpu_commands_hold(const gpu_command *c, size_t n);
void gpu_commands_drop(gpu_command *c, size_t n);

// gpu_submit encodes commands and submits them, unless dry. With queries every
// command has a pass of its own that writes its times into them, and they are
// resolved into a buffer.
void gpu_submit(gpu_device *d, const char *label, const gpu_command *c, size_t n, bool dry, void *queries, void *resolved, gpu_fault *f);
void gpu_write(gpu_device *d, void *buffer, uint64_t offset, const void *data, size_t size, gpu_fault *f);
float gpu_timestamp_period(gpu_device *d); // nanoseconds, 0 if not known

// A ticket is for all work submitted so far, or for the mapping of a staging buffer.
gpu_ticket *gpu_done(gpu_device *d, gpu_fault *f);
gpu_ticket *gpu_map(gpu_device *d, void *staging, uint64_t size, gpu_fault *f);
int gpu_ticket_state(gpu_ticket *t); // 0 waiting, 1 done, 2 failed
void gpu_ticket_free(gpu_ticket *t);
void gpu_poll(gpu_device *d, gpu_fault *f);
bool gpu_unmap(void *staging, void *data, uint64_t size, gpu_fault *f); // copies what was mapped
