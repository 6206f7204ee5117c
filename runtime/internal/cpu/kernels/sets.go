package kernels

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// Variable names the environment variable that forces a set of kernels.
const Variable = "I2SB_CPU"

// All lists the sets that work here, the fastest first.
var All = sync.OnceValue(func() []Set { return append(natives(), portable()...) })

// Names lists the names of All.
func Names() []string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name())
	}
	return names
}

// Find returns a set by name.
func Find(name string) (Set, error) {
	i := slices.IndexFunc(All(), func(s Set) bool { return s.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("cpu: this machine has no kernels %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return All()[i], nil
}

// BFloat16 returns the set that convolves in bfloat16, unless Variable forces
// another one.
func BFloat16() (Set, error) {
	if name := os.Getenv(Variable); name != "" {
		return nil, fmt.Errorf("cpu: bf16 has kernels of its own, but %s=%s forces others", Variable, name)
	}
	if s := tiler(); s != nil {
		return s, nil
	}
	return nil, errors.New("cpu: this processor or system has no bfloat16 tiles (Intel's AMX on Linux)")
}

// Default returns the set that Variable names, else the fastest.
func Default() (Set, error) {
	if name := os.Getenv(Variable); name != "" {
		s, err := Find(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", Variable, err)
		}
		return s, nil
	}
	return All()[0], nil
}
