// Package npm holds the JavaScript of the browser module, which is the npm
// package i2sb. What is built of Go and C lies beside it only in what
// wasm/site puts together.
package npm

import "embed"

// Files are the package's files as they are in the repository.
//
//go:embed *.mjs *.d.ts package.json README.md
var Files embed.FS
