// Package enclosure integrates ordinary differential equations x' = f(x) with a
// guarantee: the boxes it returns contain every solution that starts in the
// given initial set, at the final time and at all times between.
//
// It is how a trajectory-borne counterexample is re-checked before it is
// believed, and how a statement about a whole trajectory ("K stays positive
// definite", "the angle between the eigenframes ends above 20°") is certified.
// Right-hand sides are polynomial or rational, given as expressions over state
// variables, exact rational constants and interval parameters.
//
// The method is the interval Taylor series method: coefficients by automatic
// differentiation (Moore, Interval Analysis, 1966, ch. 11), existence and a
// rough enclosure by the high-order test (Nedialkov, Jackson and Pryce,
// Reliable Computing 7, 2001), propagation by the mean value form with the QR
// set representation (Lohner, 1987), initial set and accumulated errors kept
// apart (Mrozek and Zgliczyński, Ann. Polon. Math. 74, 2000).
//
// What is believed without check is what package interval believes.
package enclosure
