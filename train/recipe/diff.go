package recipe

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// fixed is what a run cannot change: its weights and moments would mean nothing.
var fixed = []string{"network.", "bridge.", "init", "preset"}

// free is what may change without a word: how long, what is measured and kept.
var free = []string{"name", "licence", "credits", "steps", "hours", "data.cache_mb", "optimizer.memory_mb", "validation.", "keep."}

// Changes compares a recipe with the one that a run began with. What is not
// free to change is listed, as "data.photos: a → b"; what cannot change at all is
// an error.
func (r Recipe) Changes(old Recipe) (changed []string, err error) {
	was, is := old.flat(), r.flat()
	for _, key := range slices.Sorted(maps.Keys(is)) {
		if was[key] == is[key] || under(key, free) {
			continue
		}
		if under(key, fixed) {
			return nil, fmt.Errorf("%s was %s in this run and cannot become %s; a new run can start from its weights with --init", key, was[key], is[key])
		}
		changed = append(changed, fmt.Sprintf("%s: %s → %s", key, was[key], is[key]))
	}
	return changed, nil
}

func under(key string, list []string) bool {
	return slices.ContainsFunc(list, func(p string) bool { return key == p || strings.HasSuffix(p, ".") && strings.HasPrefix(key, p) })
}

// flat is a recipe's values by their names in TOML.
func (r Recipe) flat() map[string]string {
	var tree map[string]any
	if _, err := toml.Decode(r.String(), &tree); err != nil {
		return nil
	}
	flat := map[string]string{}
	for k, v := range tree {
		if sub, ok := v.(map[string]any); ok {
			for name, v := range sub {
				flat[k+"."+name] = fmt.Sprintf("%v", v)
			}
		} else {
			flat[k] = fmt.Sprintf("%v", v)
		}
	}
	flat["degradation"], flat["crop"] = fmt.Sprint(r.Degradations), fmt.Sprint(r.Crops) // lists as flags take them
	return flat
}
