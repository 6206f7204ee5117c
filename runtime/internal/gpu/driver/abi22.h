// The part of webgpu.h, as wgpu-native had it in 2024, that the C here uses. The
// binding's module has the library but no header that another package can
// include.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef uint32_t WGPUBool;
typedef struct { const void *next; uint32_t sType; } WGPUChained;
typedef const char *WGPUText;
#define TEXT(s) (s)
#define WITH_LABEL(s) 0, (s)

enum {
  SType_WGSL = 6, SType_InstanceExtras = 0x00030006,
  Backend_Vulkan = 1, Backend_Metal = 4, Backend_DX12 = 8,
  Adapter_Discrete = 0, Adapter_Integrated = 1, Adapter_CPU = 2,
  Binding_Uniform = 1, Binding_Storage = 2, Binding_ReadOnly = 3,
  Error_None = 0, Error_Memory = 2, Error_Lost = 5,
  Feature_Timestamps = 3, Feature_F16 = 8, Feature_Subgroups = 0, // this version has none
  Device_Success = 0, Map_Success = 0, Done_Success = 0,
  Query_Timestamp = 1, Lost_Destroyed = 2,
};

typedef uint32_t WGPUFlags;
typedef struct { WGPUChained chain; WGPUFlags backends, flags; uint32_t dx12, gles; const char *dxil, *dxc; } WGPUInstanceExtras;
typedef struct { const void *next; } WGPUInstanceDescriptor;

typedef struct {
  uint32_t texture1D, texture2D, texture3D, textureLayers, bindGroups, bindGroupsPlusVertexBuffers, bindings, dynamicUniform,
      dynamicStorage, sampledTextures, samplers, storageBuffers, storageTextures, uniformBuffers;
  uint64_t uniformBinding, storageBinding;
  uint32_t uniformAlign, storageAlign, vertexBuffers;
  uint64_t bufferSize;
  uint32_t vertexAttributes, vertexStride, interStageComponents, interStageVariables, colorAttachments, colorBytes, workgroupStorage,
      invocations, sizeX, sizeY, sizeZ, workgroups;
} WGPULimits;
typedef struct { const void *next; WGPULimits limits; } WGPULimitsChain;
typedef struct { const void *next; const char *vendor, *architecture, *device, *description; uint32_t backend, type, vendorID, deviceID; } WGPUAdapterInfo;

typedef void (*WGPUErrorCallback)(uint32_t type, const char *message, void *user);
typedef void (*WGPULostCallback)(uint32_t reason, const char *message, void *user);
typedef void (*WGPUDeviceCallback)(uint32_t status, void *device, const char *message, void *user);
typedef void (*WGPUStatusCallback)(uint32_t status, void *user);
typedef struct {
  const void *next; const char *label; size_t featureCount; const uint32_t *features; const WGPULimitsChain *limits;
  struct { const void *next; const char *label; } queue;
  WGPULostCallback lost; void *lostUser;
  struct { const void *next; WGPUErrorCallback callback; void *user; } error;
} WGPUDeviceDescriptor;

typedef struct { const void *next; const char *label; WGPUFlags usage; uint64_t size; WGPUBool mapped; } WGPUBufferDescriptor;
typedef struct {
  const void *next; uint32_t binding; WGPUFlags visibility;
  struct { const void *next; uint32_t type; WGPUBool dynamic; uint64_t minSize; } buffer;
  struct { const void *next; uint32_t type; } sampler;
  struct { const void *next; uint32_t type, dimension; WGPUBool multisampled; } texture;
  struct { const void *next; uint32_t access, format, dimension; } storageTexture;
} WGPULayoutEntry;
typedef struct { const void *next; const char *label; size_t n; const WGPULayoutEntry *entries; } WGPUBindGroupLayoutDescriptor;
typedef struct { const void *next; const char *label; size_t n; void *const *layouts; } WGPUPipelineLayoutDescriptor;
typedef struct { WGPUChained chain; const char *code; } WGPUWGSL;
typedef struct { const void *next; const char *label; size_t hintCount; const void *hints; } WGPUShaderModuleDescriptor;
typedef struct {
  const void *next; const char *label; void *layout;
  struct { const void *next; void *module; const char *entry; size_t n; const void *constants; } compute;
} WGPUComputePipelineDescriptor;
typedef struct { const void *next; uint32_t binding; void *buffer; uint64_t offset, size; void *sampler, *view; } WGPUGroupEntry;
typedef struct { const void *next; const char *label; void *layout; size_t n; const WGPUGroupEntry *entries; } WGPUBindGroupDescriptor;
typedef struct { const void *next; const char *label; uint32_t type, count; } WGPUQuerySetDescriptor;
typedef struct { void *set; uint32_t begin, end; } WGPUTimestampWrites;
typedef struct { const void *next; const char *label; const WGPUTimestampWrites *times; } WGPUComputePassDescriptor;
typedef struct { const void *next; const char *label; } WGPULabelled; // command encoders and buffers

extern WGPUBool wgpuAdapterGetLimits(void *, WGPULimitsChain *);
extern WGPUBool wgpuDeviceGetLimits(void *, WGPULimitsChain *);
extern void wgpuAdapterRequestDevice(void *, const WGPUDeviceDescriptor *, WGPUDeviceCallback, void *);
extern void wgpuBufferMapAsync(void *, WGPUFlags, size_t, size_t, WGPUStatusCallback, void *);
extern void wgpuQueueOnSubmittedWorkDone(void *, WGPUStatusCallback, void *);
extern void wgpuBindGroupReference(void *), wgpuBufferReference(void *), wgpuComputePipelineReference(void *);
#define wgpuBindGroupAddRef wgpuBindGroupReference
#define wgpuBufferAddRef wgpuBufferReference
#define wgpuComputePipelineAddRef wgpuComputePipelineReference

static inline void get_limits(void *of, WGPULimits *l, WGPUBool (*get)(void *, WGPULimitsChain *)) {
  WGPULimitsChain c = {0};
  get(of, &c);
  *l = c.limits;
}
#define LIMITS_OF(l) (&(WGPULimitsChain){0, *(l)})
#define MODULE(device, desc) wgpuDeviceCreateShaderModule(device, desc)
