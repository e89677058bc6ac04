// Package ode integrates initial value problems y' = f(t, y) with adaptive
// one-step methods whose coefficients are exact numbers.
//
// It serves the flows of package flow and every other piece of evidence that
// needs a trajectory: one adaptive driver (PI step control, dense output,
// events, limits, cancellation) over three methods,
//
//   - Verner8, the default until a problem is found to be stiff: Verner's explicit
//     8(7) pair, 13 stages, with a dense output of order 7;
//   - DormandPrince54: the explicit 5(4) pair with its dense output of order 4;
//   - RadauIIA5: the implicit collocation method of order 5, L-stable, for stiff
//     stretches and long times.
//
// An answer is right to the tolerance or there is an error that says where and why:
// the time advances by what the clock really moves (a float64 and what it cannot
// hold), norms do not overflow, and a tolerance that rounding does not let be met is
// given up aloud (Solution.Losses).
//
// A Tableau is data: every coefficient is a rational number or an element
// a + b√d of a quadratic field, and CheckOrder and CheckDense verify the
// rooted-tree order conditions in exact arithmetic. Floating point enters only
// when a tableau is rounded, once, for the stepper.
//
// References:
//
//	Hairer, Nørsett, Wanner, Solving Ordinary Differential Equations I,
//	  2nd ed., Springer 1993 (HNW): II.1 to II.6.
//	Hairer, Wanner, Solving Ordinary Differential Equations II,
//	  2nd ed., Springer 1996 (HW): IV.5, IV.8.
//	Verner, Explicit Runge–Kutta methods with estimates of the local
//	  truncation error, SIAM J. Numer. Anal. 15 (1978) 772–790.
//	Dormand, Prince, A family of embedded Runge–Kutta formulae,
//	  J. Comput. Appl. Math. 6 (1980) 19–26.
package ode
