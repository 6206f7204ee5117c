package main

import (
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// shard keeps the part of the jobs that text names: I/N, or N for the part that
// a Kubernetes Indexed Job tells. A picture's part depends on its path below
// the output directory alone, so that pictures may come and go between runs.
func shard(list []job, text string) ([]job, error) {
	if text == "" {
		return list, nil
	}
	part, of, both := strings.Cut(text, "/")
	if !both {
		part, of = os.Getenv("JOB_COMPLETION_INDEX"), text
		if part == "" {
			return nil, usagef("--shard %s: JOB_COMPLETION_INDEX is not set; write I/N", text)
		}
	}
	i, err := strconv.ParseUint(part, 10, 31)
	n, err2 := strconv.ParseUint(of, 10, 31)
	if err != nil || err2 != nil || i >= n {
		return nil, usagef("--shard %s/%s: write I/N with I from 0 to N-1", part, of)
	}
	return slices.DeleteFunc(list, func(j job) bool {
		h := fnv.New64a()
		h.Write([]byte(filepath.ToSlash(j.under)))
		v := h.Sum64()
		v ^= v >> 32 // the low bits of FNV follow those of the last letters
		v *= 0x9e3779b97f4a7c15
		return (v>>32)%n != i
	}), nil
}
