package recipe

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

// Read puts a TOML file over r: what the file leaves out stays. A preset that it
// names comes before its own [network]. Names that recipes do not have are errors.
func (r *Recipe) Read(text string) error {
	var first struct {
		Preset string `toml:"preset"`
	}
	if _, err := toml.Decode(text, &first); err != nil {
		return explain(err)
	}
	if first.Preset != "" {
		n, err := Preset(first.Preset)
		if err != nil {
			return err
		}
		r.Network = n
	}
	for list, forget := range map[string]func(){"degradation": func() { r.Degradations = nil }, "crop": func() { r.Crops = nil }} {
		var any map[string]toml.Primitive
		if _, err := toml.Decode(text, &any); err == nil {
			if _, ok := any[list]; ok {
				forget() // a list is given whole
			}
		}
	}
	meta, err := toml.Decode(text, r)
	if err != nil {
		return explain(err)
	}
	if left := meta.Undecoded(); len(left) > 0 {
		return fmt.Errorf("recipes have no %s", left[0])
	}
	return nil
}

// explain makes one line of a TOML error, with its place.
func explain(err error) error {
	return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "toml: "))
}

// String is the recipe as TOML, which Read reads.
func (r Recipe) String() string {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(r); err != nil {
		return "# " + err.Error() // cannot happen: a recipe has only what TOML has
	}
	return b.String()
}
