//go:build !cgo || !(amd64 || arm64)

package kernels

// natives is empty without a C compiler.
func natives() []Set { return nil }
