//go:build cgo && !js

package driver

// #include <stdlib.h>
// #include "native.h"
import "C"

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// native is wgpu-native. One instance serves the process: drivers do not like
// to be loaded and unloaded.
type native struct {
	adapters []unsafe.Pointer
	infos    []Adapter
}

var openNative = sync.OnceValues(func() (*native, error) {
	if !bool(C.gpu_loader()) {
		return nil, errors.New("the Vulkan loader is missing: install libvulkan1 (Debian, Ubuntu), vulkan-loader (Fedora) or vulkan-icd-loader (Arch), and the graphics card's Vulkan driver")
	}
	instance := C.gpu_instance()
	if instance == nil {
		return nil, errors.New("wgpu gives no instance")
	}
	n := &native{}
	n.adapters = make([]unsafe.Pointer, 64)
	count := min(int(C.gpu_adapters(instance, &n.adapters[0], 64)), 64)
	n.adapters = n.adapters[:count]
	for _, a := range n.adapters {
		n.infos = append(n.infos, describe(a))
	}
	return n, nil
})

// Open opens the binding that was built in.
func Open() (Driver, error) {
	n, err := openNative()
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (n *native) Name() string                                { return binding }
func (n *native) Adapters(context.Context) ([]Adapter, error) { return n.infos, nil }
func (n *native) Close()                                      {}

var (
	backends = map[C.uint32_t]string{4: "d3d12", 5: "metal", 6: "vulkan", 7: "gl", 8: "gl"}
	types    = map[C.uint32_t]string{C.GPU_DISCRETE: "discrete", C.GPU_INTEGRATED: "integrated", C.GPU_SOFTWARE: "software", C.GPU_OTHER: "other"}
	vendors  = map[C.uint32_t]string{0x10de: "NVIDIA", 0x1002: "AMD", 0x1022: "AMD", 0x8086: "Intel", 0x106b: "Apple", 0x13b5: "Arm",
		0x5143: "Qualcomm", 0x1010: "Imagination", 0x1414: "Microsoft", 0x1ae0: "Google", 0x10005: "Mesa"}
)

func describe(adapter unsafe.Pointer) Adapter {
	var c C.gpu_info
	C.gpu_adapter_info(adapter, &c)
	device, description := C.GoString(&c.device[0]), C.GoString(&c.description[0])
	a := Adapter{Name: device, Driver: description, Vendor: vendors[c.vendor_id], Backend: cmp.Or(backends[c.backend], "other"),
		Type: types[c._type], Limits: limitsOf(c.limits), Features: featuresOf(c.features)}
	// One of the libraries has numbers in place of the device and the vendor.
	if strings.HasPrefix(device, "0x") || device == "" {
		a.Name, a.Driver = description, ""
	}
	if a.Driver == "" {
		var driver [256]C.char
		text(a.Name, func(name *C.char) { C.gpu_vulkan_driver(c.vendor_id, name, &driver[0], C.size_t(len(driver))) })
		a.Driver = C.GoString(&driver[0])
	}
	if v := C.GoString(&c.vendor[0]); a.Vendor == "" && !strings.HasPrefix(v, "0x") {
		a.Vendor = v
	}
	if a.Vendor == "" {
		a.Vendor = fmt.Sprintf("vendor %#x", uint32(c.vendor_id))
	}
	lower := strings.ToLower(a.Name)
	for _, s := range []string{"llvmpipe", "lavapipe", "swiftshader", "basic render"} {
		a.Software = a.Software || strings.Contains(lower, s)
	}
	if a.Software = a.Software || a.Type == "software"; a.Software {
		a.Type = "software"
	}
	return a
}

func limitsOf(c C.gpu_limits) Limits {
	return Limits{Buffer: int64(c.buffer), Binding: int64(c.binding), StorageBuffers: int(c.storage_buffers),
		Workgroups: int(c.workgroups), Invocations: int(c.invocations), WorkgroupMemory: int(c.workgroup_memory)}
}

func featuresOf(c C.uint32_t) Features {
	return Features{F16: c&C.GPU_F16 != 0, Subgroups: c&C.GPU_SUBGROUPS != 0, Timestamps: c&C.GPU_TIMESTAMPS != 0}
}

// lower gives what was asked for, or the default, or what there is if that is less.
func lower[T int | int64](want, standard, have T) T {
	return min(cmp.Or(want, standard), have)
}

func (n *native) Device(ctx context.Context, adapter int, want Want) (Device, error) {
	if adapter < 0 || adapter >= len(n.adapters) {
		return nil, Errorf(Invalid, "", "there is no adapter %d", adapter)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	have, w := n.infos[adapter].Limits, want.Limits
	limits := C.gpu_limits{
		buffer:           C.uint64_t(lower(w.Buffer, Defaults.Buffer, have.Buffer)),
		binding:          C.uint64_t(lower(w.Binding, Defaults.Binding, have.Binding)),
		storage_buffers:  C.uint32_t(lower(w.StorageBuffers, Defaults.StorageBuffers, have.StorageBuffers)),
		workgroups:       C.uint32_t(lower(w.Workgroups, Defaults.Workgroups, have.Workgroups)),
		invocations:      C.uint32_t(lower(w.Invocations, Defaults.Invocations, have.Invocations)),
		workgroup_memory: C.uint32_t(lower(w.WorkgroupMemory, Defaults.WorkgroupMemory, have.WorkgroupMemory)),
	}
	all := n.infos[adapter].Features
	features := want.Features
	features.F16 = features.F16 && all.F16
	features.Subgroups = features.Subgroups && all.Subgroups
	features.Timestamps = features.Timestamps && all.Timestamps
	d, err := n.open(adapter, limits, features)
	if err != nil && features != (Features{}) { // advertised, but not to be had
		d, err = n.open(adapter, limits, Features{})
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// deviceKey is what a device was opened with.
type deviceKey struct {
	adapter  int
	limits   C.gpu_limits
	features C.uint32_t
}

// spares are the devices that were closed.
type spares struct {
	mu   sync.Mutex
	free map[deviceKey][]*C.gpu_device
}

var spare = spares{free: map[deviceKey][]*C.gpu_device{}}

func (s *spares) put(k deviceKey, c *C.gpu_device) {
	s.mu.Lock()
	s.free[k] = append(s.free[k], c)
	s.mu.Unlock()
}

// take returns nil if there is none.
func (s *spares) take(k deviceKey) *C.gpu_device {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.free[k]
	if len(l) == 0 {
		return nil
	}
	s.free[k] = l[:len(l)-1]
	return l[len(l)-1]
}

func (n *native) open(adapter int, limits C.gpu_limits, features Features) (*nativeDevice, error) {
	k := deviceKey{adapter: adapter, limits: limits}
	for _, f := range []struct {
		on  bool
		bit C.uint32_t
	}{{features.F16, C.GPU_F16}, {features.Subgroups, C.GPU_SUBGROUPS}, {features.Timestamps, C.GPU_TIMESTAMPS}} {
		if f.on {
			k.features |= f.bit
		}
	}
	c := spare.take(k)
	if c == nil {
		f := new(C.gpu_fault)
		if c = C.gpu_device_open(n.adapters[adapter], &limits, k.features, f); c == nil {
			return nil, faultOf(f, n.infos[adapter].Name)
		}
	}
	d := &nativeDevice{c: c, key: k, live: map[releaser]struct{}{}}
	var granted C.uint32_t
	C.gpu_device_granted(c, &limits, &granted)
	d.limits, d.features = limitsOf(limits), featuresOf(granted)
	return d, nil
}

// faultOf makes an error of what a call left in f, or nil.
func faultOf(f *C.gpu_fault, label string) error {
	if f.kind == C.GPU_OK {
		return nil
	}
	return &Error{Kind(f.kind), label, tell(C.GoString(&f.text[0]))}
}

// tell makes one line of wgpu's message, which is a tree of causes, the last
// of them the reason.
func tell(text string) string {
	text = strings.TrimPrefix(strings.TrimSpace(text), "Validation Error")
	var parts []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line == "Caused by:" || strings.HasPrefix(line, "In wgpu") || strings.HasPrefix(line, "note: label") || strings.HasPrefix(line, "In a pass") {
			continue
		}
		parts = append(parts, line)
	}
	return strings.Join(parts, "; ")
}

// call runs f with a fault to fill, on one thread, unless the device is closed
// or lost.
func (d *nativeDevice) call(label string, f func(*C.gpu_fault)) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.gone(); err != nil {
		return err
	}
	fault := new(C.gpu_fault)
	f(fault)
	return d.note(faultOf(fault, label))
}

// note keeps the error that says that the device was lost.
func (d *nativeDevice) note(err error) error {
	if Is(err, Lost) {
		d.lost.CompareAndSwap(nil, err.(*Error))
	}
	return err
}

// bounded is call for what may not return: a driver may block in a submit, and
// a poll then waits for it. It gives up when the context ends or expired does.
// Where a panic of wgpu's was caught the thread still counts as panicking, so
// it is left to end with its goroutine.
func (d *nativeDevice) bounded(ctx context.Context, expired <-chan time.Time, label string, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		goruntime.LockOSThread()
		err := f(ctx)
		if !Is(err, Lost) {
			goruntime.UnlockOSThread()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-expired:
		d.stuck.Store(true)
		return Errorf(Hang, label, "no answer in the time allowed")
	}
}

// after is nil, which never comes, for no patience.
func after(patience time.Duration) <-chan time.Time {
	if patience <= 0 {
		return nil
	}
	return time.After(patience)
}
