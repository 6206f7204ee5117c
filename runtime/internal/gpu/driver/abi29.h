// The part of webgpu.h, as wgpu-native 29 has it, that the C here uses. The
// binding's module has the library but no header that another package can
// include.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t WGPUBool;
typedef struct { const void *next; uint32_t sType; } WGPUChained;
typedef struct { const char *data; size_t length; } WGPUText;
#define TEXT(s) ((WGPUText){(s), (s) ? strlen(s) : 0})

enum {
  SType_WGSL = 2, SType_InstanceExtras = 0x00030004,
  Backend_Vulkan = 1, Backend_Metal = 4, Backend_DX12 = 8,
  Adapter_Discrete = 1, Adapter_Integrated = 2, Adapter_CPU = 3,
  Binding_Uniform = 2, Binding_Storage = 3, Binding_ReadOnly = 4,
  Error_None = 1, Error_Memory = 3, Error_Lost = 0,
  Feature_Timestamps = 9, Feature_F16 = 0xB, Feature_Subgroups = 0x12,
  Device_Success = 1, Map_Success = 1, Done_Success = 1,
  Query_Timestamp = 2, Lost_Destroyed = 2,
  Mode_Spontaneous = 3,
};

typedef uint64_t WGPUFlags;
typedef struct {
  WGPUChained chain; WGPUFlags backends, flags; uint32_t dx12, gles, fence; WGPUText dxc; uint32_t shaderModel, swapchain;
  const uint8_t *budgetCreation, *budgetLoss; uint64_t display[3];
} WGPUInstanceExtras;
typedef struct { const void *next; size_t n; const void *features, *limits; } WGPUInstanceDescriptor;

typedef struct {
  const void *next;
  uint32_t texture1D, texture2D, texture3D, textureLayers, bindGroups, bindGroupsPlusVertexBuffers, bindings, dynamicUniform,
      dynamicStorage, sampledTextures, samplers, storageBuffers, storageTextures, uniformBuffers;
  uint64_t uniformBinding, storageBinding;
  uint32_t uniformAlign, storageAlign, vertexBuffers;
  uint64_t bufferSize;
  uint32_t vertexAttributes, vertexStride, interStageVariables, colorAttachments, colorBytes, workgroupStorage, invocations, sizeX,
      sizeY, sizeZ, workgroups, immediates;
} WGPULimits;
typedef struct { const void *next; WGPUText vendor, architecture, device, description; uint32_t backend, type, vendorID, deviceID, subgroupMin, subgroupMax; } WGPUAdapterInfo;

typedef void (*WGPUErrorCallback)(void *const *device, uint32_t type, WGPUText message, void *user, void *);
typedef void (*WGPULostCallback)(void *const *device, uint32_t reason, WGPUText message, void *user, void *);
typedef void (*WGPUDeviceCallback)(uint32_t status, void *device, WGPUText message, void *user, void *);
typedef void (*WGPUStatusCallback)(uint32_t status, WGPUText message, void *user, void *);
typedef struct { const void *next; uint32_t mode; void *callback, *user1, *user2; } WGPUCallbackInfo;
typedef struct { const void *next; void *callback, *user1, *user2; } WGPUErrorInfo;
typedef struct {
  const void *next; WGPUText label; size_t featureCount; const uint32_t *features; const WGPULimits *limits;
  struct { const void *next; WGPUText label; } queue;
  WGPUCallbackInfo lost;
  WGPUErrorInfo error;
} WGPUDeviceDescriptor;

typedef struct { const void *next; WGPUText label; WGPUFlags usage; uint64_t size; WGPUBool mapped; } WGPUBufferDescriptor;
typedef struct {
  const void *next; uint32_t binding; WGPUFlags visibility; uint32_t array;
  struct { const void *next; uint32_t type; WGPUBool dynamic; uint64_t minSize; } buffer;
  struct { const void *next; uint32_t type; } sampler;
  struct { const void *next; uint32_t type, dimension; WGPUBool multisampled; } texture;
  struct { const void *next; uint32_t access, format, dimension; } storageTexture;
} WGPULayoutEntry;
typedef struct { const void *next; WGPUText label; size_t n; const WGPULayoutEntry *entries; } WGPUBindGroupLayoutDescriptor;
typedef struct { const void *next; WGPUText label; size_t n; void *const *layouts; uint32_t immediates; } WGPUPipelineLayoutDescriptor;
typedef struct { WGPUChained chain; WGPUText code; } WGPUWGSL;
typedef struct { const void *next; WGPUText label; } WGPUShaderModuleDescriptor;
typedef struct {
  const void *next; WGPUText label; void *layout;
  struct { const void *next; void *module; WGPUText entry; size_t n; const void *constants; } compute;
} WGPUComputePipelineDescriptor;
typedef struct { const void *next; uint32_t binding; void *buffer; uint64_t offset, size; void *sampler, *view; } WGPUGroupEntry;
typedef struct { const void *next; WGPUText label; void *layout; size_t n; const WGPUGroupEntry *entries; } WGPUBindGroupDescriptor;
typedef struct { const void *next; WGPUText label; uint32_t type, count; } WGPUQuerySetDescriptor;
typedef struct { const void *next; void *set; uint32_t begin, end; } WGPUTimestampWrites;
typedef struct { const void *next; WGPUText label; const WGPUTimestampWrites *times; } WGPUComputePassDescriptor;
typedef struct { const void *next; WGPUText label; } WGPULabelled; // command encoders and buffers
typedef struct { uint64_t id; } WGPUFuture;

extern uint32_t wgpuAdapterGetLimits(void *, WGPULimits *);
extern uint32_t wgpuDeviceGetLimits(void *, WGPULimits *);
extern WGPUFuture wgpuAdapterRequestDevice(void *, const WGPUDeviceDescriptor *, WGPUCallbackInfo);
extern WGPUFuture wgpuBufferMapAsync(void *, WGPUFlags, size_t, size_t, WGPUCallbackInfo);
extern WGPUFuture wgpuQueueOnSubmittedWorkDone(void *, WGPUCallbackInfo);
extern float wgpuQueueGetTimestampPeriod(void *);
extern void wgpuBindGroupAddRef(void *), wgpuBufferAddRef(void *), wgpuComputePipelineAddRef(void *);
extern void *wgpuDeviceCreateShaderModuleTrusted(void *, const WGPUShaderModuleDescriptor *, WGPUFlags);

static inline void get_limits(void *of, WGPULimits *l, uint32_t (*get)(void *, WGPULimits *)) {
  *l = (WGPULimits){0};
  get(of, l);
}
#define LIMITS_OF(l) (l)
// Bounds are checked, but loops are not counted: ours end.
#define MODULE(device, desc) wgpuDeviceCreateShaderModuleTrusted(device, desc, 1)
