// Package recorder turns runs of package check into goldens: it makes the runs of the arms over their seeds, keeps the
// matrices from which the verifier recomputes what the runs say, and writes one golden an arm.
//
// Runs are kept in a work folder, finished ones with their provenance and unfinished ones with a checkpoint, so that a
// recording that was interrupted goes on from there. The folder is also how a recording in parts is made: [Recording.Runs]
// fills it in several calls, on machines with little time, and [Recording.Assemble] writes the goldens of what was
// carried together, without the engine and the data.
package recorder
