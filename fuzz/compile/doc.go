// Package compile turns statements about scalars into straight-line programs over float64.
//
// Sampling a region judges one statement at very many states; package eval interprets its expressions anew at
// each. A [Program] does the same operations, in the same order and with the same rules for what counts as
// zero, on registers fixed once. Derivatives along the flow are carried beside the values, as there. Statements
// with matrices, expectations or forms that a program does not know are left to package eval.
package compile
