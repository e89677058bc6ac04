// Package recorder turns runs of package check into goldens: it makes the runs of the arms over their seeds, keeps the
// matrices from which the verifier recomputes what the runs say, and writes one golden an arm.
//
// Finished runs are kept in a work folder, so that a recording that was interrupted goes on from there.
package recorder
