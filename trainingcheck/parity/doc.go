// Package parity holds one engine against another: the same seeded training steps on both, and how long a step takes.
//
// Networks lists the configurations that are compared. Compare trains one on two engines and bounds the difference of
// everything it computes; Step reduces the first step to a few scalars, which a golden of kind parity keeps so that a
// machine without that engine can compute them again in float64 (Recompute). Time measures steps, and a timing made by
// another program is read by ReadTimings.
//
// The tests of this package, built by build.sh into one program, run on a machine that has a GPU and neither Go nor the
// sources nor git; run.sh calls them there.
package parity
