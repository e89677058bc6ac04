//go:build xla && cgo && linux && amd64

package engine

import _ "github.com/gomlx/go-xla/compute/xla" // registers "xla"

const compiledXLA = true
