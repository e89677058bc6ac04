// Package witness handles counterexamples as states in exact numbers: it copies them, measures how simple
// they are, and writes them as text and reads them back.
package witness
