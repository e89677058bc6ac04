// Package kernel is the trusted core of stopgrad: it says what a statement means and which statements follow.
// A [Theorem] can be made by one door, [Context.Apply]; nothing else in the suite makes one.
//
// # What a theorem says
//
// A theorem is a sequent Γ ⊢ φ: a frozen [Context] Γ (symbols, second moments, equations of motion, marked
// hypotheses) and a [Formula] φ. The reading is partial: Γ ⊢ φ says that wherever Γ holds every term of φ has a
// value and φ holds. 1/x has a value where x ≠ 0, root(q) where q ≥ 0, inv(A) where A is invertible; the
// derivative of a root needs q > 0, because it divides by the root. A hypothesis holds only where all its terms
// have values.
//
// There are three kinds of sequent, told apart by [Time]:
//
//   - State: for all sizes and all values of the symbols at which the hypotheses hold, φ holds.
//   - Motion: for every T with 0 < T ≤ ∞ and every C¹ solution of the flow on [0, T), with continuous inputs (a state
//     variable without an equation in the flow moves like an input), along which
//     the hypotheses hold as marked, φ holds. Nothing is said about the existence of solutions.
//   - Orbit: the same for every finite or infinite orbit x₀, x₁, … of the map, of any number of steps, with
//     arbitrary sequences as inputs.
//
// Which terms there are is in term.go, which formulas and what each means in form.go, what the operators ddt, next, at,
// diff, grad, E and sg become in unfold.go, when a term is zero in normal.go. The rules are in the rules_*.go files;
// each is a function from a goal and its premises to an error, and its comment is its justification.
//
// # How it keeps what it promises
//
// Every value a caller gets is immutable: no exported field, variable, map or slice, and accessors copy. A zero
// Theorem states nothing and is refused as a premise. Bad input of any kind gives an error, never a panic: the
// constructors fail with one private type that the exported doors recover. Every construction is bounded (limits.go).
//
// Comments on lines whose error would let a false claim pass begin with “Soundness:”.
package kernel
