package runtime

import (
	"strings"

	"github.com/i2sb-go/i2sb/weights"
)

// families gives each family of tasks the prefixes of the full names in it.
var families = []struct {
	name     string
	prefixes []string
}{
	{"sr4x", []string{"sr4x"}},
	{"jpeg", []string{"jpeg"}},
	{"deblur", []string{"deblur", "blur"}},
	{"inpaint", []string{"inpaint"}},
	{"decolor", []string{"decolor"}},
	{"denoise", []string{"denoise", "noise"}},
	{"mixture", []string{"mixture"}},
}

// Family returns the family of a task: "jpeg" for "jpeg-10", "deblur" for
// "blur-gauss", the name itself if it belongs to none. Stages behind a name, as
// in decolor+8bit, make no difference.
func Family(task string) string {
	task, _, _ = strings.Cut(task, "+")
	for _, f := range families {
		for _, p := range f.prefixes {
			if task == p || strings.HasPrefix(task, p+"-") || strings.HasPrefix(task, p+".") {
				return f.name
			}
		}
	}
	return task
}

// findTask picks the pack's task for a name. A full name finds itself, with the
// stages behind it or without, or the pack's family task; a family finds any of
// its tasks. Without a name it is the first task that keeps the picture's size
// and needs no mask, else the first.
func findTask(tasks []weights.Task, name string) (weights.Task, error) {
	if len(tasks) == 0 {
		return weights.Task{Name: name}, nil // an unlabelled network: the caller knows
	}
	if name == "" {
		for _, t := range tasks {
			if f := Family(t.Name); f != "sr4x" && f != "inpaint" {
				return t, nil
			}
		}
		return tasks[0], nil
	}
	bare, _, _ := strings.Cut(name, "+")
	for _, n := range []string{name, bare} {
		for _, t := range tasks {
			if t.Name == n {
				return t, nil
			}
		}
	}
	for _, t := range tasks {
		if Family(t.Name) == Family(name) && (t.Name == Family(t.Name) || name == Family(name)) {
			return t, nil
		}
	}
	return weights.Task{}, &TaskError{Task: name, Have: taskNames(tasks)}
}

func taskNames(tasks []weights.Task) []string {
	var names []string
	for _, t := range tasks {
		names = append(names, t.Name)
	}
	return names
}
