//go:build cgo && !js && webgpu29

package driver

// The second binding: wgpu-native 29, with f16, subgroups and a guarded way out
// of a lost device. See wgpu.go for how it is called.

// #cgo CFLAGS: -DWEBGPU29
import "C"

import _ "github.com/oliverbestmann/webgpu/wgpu" // the library

const binding = "github.com/oliverbestmann/webgpu v1.34.0"
