//go:build race

package engine

const compiledRace = true
