//go:build unix && !linux

package kernels

const mapNoReserve = 0
