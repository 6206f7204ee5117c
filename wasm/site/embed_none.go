//go:build !page

package site

import "io/fs"

var embedded fs.FS
