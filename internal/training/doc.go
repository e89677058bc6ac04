// Package training is the part of the command line that trains: the commands train, trainingcheck, golden and
// doctor.
//
// Each command is a structure for the kong parser with a method Run that takes a [Console]. Results go to
// standard output, progress and messages to standard error, and an error that wants an exit code of its own is
// an [ExitError].
package training
