// Package optimise looks for a point of the unit cube at which a function is low: a scan by a scrambled
// Halton design, then covariance matrix adaptation (CMA-ES) from the best points of the scan, then the
// simplex method of Nelder and Mead, all from gonum.
//
// The number of evaluations of each stage is fixed beforehand, so that a result depends on the seed alone;
// a context's deadline ends a search early and is reported.
package optimise
