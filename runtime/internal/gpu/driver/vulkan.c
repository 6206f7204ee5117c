//go:build cgo && !js

// Which version of its driver serves a card, asked of Vulkan itself: one of the
// libraries does not tell.

#include "native.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#define VULKAN __stdcall
static void *loader(void) { return (void *)LoadLibraryA("vulkan-1.dll"); }
static void *symbol(void *l, const char *name) { return (void *)GetProcAddress((HMODULE)l, name); }
#elif !defined(__APPLE__)
#include <dlfcn.h>
#define VULKAN
static void *loader(void) { return dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL); }
static void *symbol(void *l, const char *name) { return dlsym(l, name); }
#endif

#ifdef __APPLE__
void gpu_vulkan_driver(uint32_t vendor, const char *name, char *to, size_t n) { // Metal is a part of the system
  (void)vendor, (void)name, (void)n;
  *to = 0;
}
#else

enum { Application = 0, Instance = 1, Properties2 = 1000059001, Driver = 1000196000, Version11 = 1 << 22 | 1 << 12 };
typedef struct { uint32_t type; const void *next; const char *app; uint32_t appVersion; const char *engine; uint32_t engineVersion, api; } application_info;
typedef struct { uint32_t type; const void *next; uint32_t flags; const application_info *app; uint32_t layers; const void *layerNames; uint32_t extensions; const void *names; } instance_info;
typedef struct { uint32_t type; void *next; uint32_t driver; char name[256], info[256]; uint8_t conformance[4]; } driver_info;
typedef struct {
  uint32_t type;
  void *next;
  uint32_t api, driver, vendor, device, kind;
  char name[256];
  uint8_t cache[16];
  uint64_t rest[128]; // limits, which take 504 bytes, and sparse properties
} properties;

typedef void *(VULKAN *get_proc)(void *, const char *);
typedef int32_t (VULKAN *create_instance)(const instance_info *, const void *, void **);
typedef void (VULKAN *destroy_instance)(void *, const void *);
typedef int32_t (VULKAN *enumerate)(void *, uint32_t *, void **);
typedef void (VULKAN *get_properties)(void *, properties *);

void gpu_vulkan_driver(uint32_t vendor, const char *name, char *to, size_t n) {
  *to = 0;
  void *l = loader(), *instance = 0;
  get_proc get = l ? (get_proc)symbol(l, "vkGetInstanceProcAddr") : 0;
  create_instance create = get ? (create_instance)get(0, "vkCreateInstance") : 0;
  application_info app = {.type = Application, .api = Version11};
  instance_info info = {.type = Instance, .app = &app};
  if (!create || create(&info, 0, &instance) != 0)
    return;
  enumerate list = (enumerate)get(instance, "vkEnumeratePhysicalDevices");
  get_properties ask = (get_properties)get(instance, "vkGetPhysicalDeviceProperties2");
  void *devices[64];
  uint32_t count = 64;
  if (list && ask && list(instance, &count, devices) >= 0) // 5: there are more
    for (uint32_t i = 0; i < count && !*to; i++) {
      driver_info d = {.type = Driver};
      properties p = {.type = Properties2, .next = &d};
      ask(devices[i], &p);
      if (p.vendor == vendor && strncmp(p.name, name, sizeof p.name) == 0)
        if (strpbrk(d.info, "0123456789"))
          snprintf(to, n, "%s", d.info);
        else
          snprintf(to, n, "%s%sversion %u.%u.%u", d.info, *d.info ? " " : "", p.driver >> 22, p.driver >> 12 & 1023, p.driver & 4095);
    }
  destroy_instance destroy = (destroy_instance)get(instance, "vkDestroyInstance");
  if (destroy)
    destroy(instance, 0);
}
#endif
