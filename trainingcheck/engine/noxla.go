//go:build !(xla && cgo && linux && amd64)

package engine

import "errors"

const compiledXLA = false

// openClient is not reached: openXLA refuses before it.
func openClient(string, bool) (client, error) { return client{}, errors.New(string(NotCompiledIn)) }
