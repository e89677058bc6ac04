// Package eval gives claims their value at a concrete state, exactly over ℚ or approximately over float64: it is the
// evaluator of the search, the samplers, the compiler and the check of states. It decides no verdict.
//
// A part or environment is elaborated once and its formulas are unfolded by the kernel to terms without operators
// (derivatives, gradients, steps and expectations are written out), which are compiled to a list of operations in
// which common subterms occur once. What a statement about all times says at one state is in forms.go.
package eval
