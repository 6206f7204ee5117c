//go:build cgo && !js && !webgpu29

package driver

// The binding brings wgpu-native as a static library for every system; our C
// calls it directly. Through the binding's Go methods, running out of memory
// and losing the device end the process, and a pointer to Go memory is kept by
// C beyond the call that passed it.

import _ "github.com/cogentcore/webgpu/wgpu" // the library

const binding = "github.com/cogentcore/webgpu v0.23.0"
