//go:build page

package site

import (
	"embed"
	"io/fs"
)

// Releases are built after `i2sb-run web --module wasm/site/built`.
//
//go:embed built
var built embed.FS

var embedded, _ = fs.Sub(built, "built")
