// Package command is stopgrad's command line.
//
// Every command writes its result to standard output and everything else, progress and messages, to standard
// error. The exit codes are [OK], [Difference], [BadInput], [Unmet] and [Interrupted]; bad input leaves one
// line on standard error and nothing anywhere else.
package command
