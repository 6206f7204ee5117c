// Package pack0 embeds the default pack, so that a restoration needs no
// download. Browser builds do not import it. What the pack was trained on and
// what it scores stands in weights/MODELS.md.
package pack0

import _ "embed"

// Name is the default pack's file name.
const Name = "general.i2sb"

// Pack is the file.
//
//go:embed general.i2sb
var Pack string
