// Package shrink lets pgregory.net/rapid make the choices of a draw, so that the properties of package props
// run, shrink and replay under go test and go test -fuzz.
//
// It is apart from package props because rapid registers command-line flags when it is imported.
package shrink
