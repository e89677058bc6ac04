// Package algebra is exact noncommutative algebra: polynomials in matrix symbols with transpose, over the
// field of rational functions in commuting scalars, square roots and traces.
//
// A [Ring] holds the symbols. Its elements are
//
//   - [Poly]: a commutative polynomial with rational coefficients in the ring's generators, which are scalar
//     symbols, roots r with r² = q, and traces tr(A·B·…);
//   - [Frac]: a quotient of a [Poly] by a product of factored polynomials;
//   - [Mat]: a sum of words in matrix letters A, Aᵀ with [Frac] coefficients; the empty word is I.
//
// All of them are values in normal form, so that equality is equality of representations: a word is reduced
// by the symmetries of its letters, a trace word is the least of its rotations and of those of its
// transpose, powers of a root are reduced by its square. The normal form is complete for free letters; for
// letters with relations (isometries, inverses, commuting diagonals inside traces) it is sound: two elements
// with equal normal forms are equal, the converse is not claimed.
package algebra
