//go:build !(xla && cgo && linux && amd64)

package engine

const compiledXLA = false
