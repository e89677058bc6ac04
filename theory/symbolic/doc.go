// Package symbolic gives the expressions of the claim language their meaning in exact noncommutative
// algebra: it turns a [lang.Expr] into an element in normal form, deriving gradients from objectives,
// expectations from second moments and time derivatives from flows on the way.
package symbolic
