//go:build race

package runtime_test

// raceDetector is on: whole networks at full size are left to the run without.
const raceDetector = true
