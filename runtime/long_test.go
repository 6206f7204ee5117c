package runtime_test

import "os"

// long tells whether ./check --long runs.
func long() bool { return os.Getenv("I2SB_LONG") != "" }
