// Package interior samples the inside of a box of hyper-parameters with gopter, outside go test.
//
// It complements the other engines: rapid hunts corners and small numbers, and the seeded stream draws simple
// rationals, while here every hyper-parameter is uniform in its interval and never at an end of it. Matrices
// still come structure first from sample.Draw. The results are gopter's: a property is proved, passed,
// falsified, or gave up because no state met its hypotheses.
package interior
