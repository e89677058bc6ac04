// Package eval gives claims their value at a concrete state: expressions, hypotheses and statements are
// evaluated with matrices of numbers, exactly over ℚ or approximately over float64.
//
// It shares no code with the symbolic algebra. Derivatives along a flow are computed by forward-mode
// differentiation (first-order jets), gradients entry by entry, and expectations by enumerating a finite
// probability space with the declared second moments, so that an agreement between the two is evidence.
package eval
