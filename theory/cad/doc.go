// Package cad decomposes ℝⁿ into cells on which polynomials with rational coefficients keep their signs, and gives sample
// points of them: an open cylindrical algebraic decomposition. Nothing rests on it. A sample point is a candidate for a
// counterexample, which package model decides on; that no sample point was one proves nothing.
//
//   - sum.go: polynomials by monomials, as conditions are put and solved for letters that occur linearly.
//   - poly.go: polynomials with integer coefficients in a main variable over those before it: greatest common divisors,
//     resultants and discriminants by subresultants, square-free and pairwise coprime factors.
//   - isolate.go: real roots of polynomials in one variable, by Descartes' rule of signs and bisection.
//   - cells.go: the projection by leading coefficients, discriminants and resultants (Brown, 2001, after McCallum: enough
//     over open cells), and the lifting over rational sample points; over the rational roots, too, and at the last variable
//     over those of quadratic equations, which is where equations and bounds that are only touched are met.
//   - search.go: what a conjunction of conditions comes to: parts that share no letters one by one, letters that an
//     equation gives solved for, letters beyond the third held at simple numbers.
//
// Work is counted in products of machine words and bounded, so that what is found depends on no clock.
//
// References: G. E. Collins, Quantifier elimination for real closed fields by cylindrical algebraic decomposition, 1975;
// S. McCallum, An improved projection operation for cylindrical algebraic decomposition, 1998; C. W. Brown, Improved
// projection for cylindrical algebraic decomposition, J. Symb. Comput. 32, 2001; A. Strzeboński, Solving systems of strict
// polynomial inequalities, J. Symb. Comput. 29, 2000; H. Cohen, A Course in Computational Algebraic Number Theory, 3.3.
package cad
