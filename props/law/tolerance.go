package law

// Tolerances. A trajectory of these laws takes fewer than a thousand steps, each with an error of at most
// 1e-11 relative to the state.
const (
	// Kept bounds quantities whose own equation, L' = r·L with r ≤ 0, holds at every state: errors of the
	// steps add up, 1e3 · 1e-11, and are not amplified.
	Kept = 1e-8
	// Compared bounds the difference of two integrations of one trajectory. Errors of a step grow with the
	// flow, at most by exp(∫λ) for the greatest growth rate λ of nearby trajectories, which is at most
	// max(τ p − η, …) ≤ 2 in units of 1/t for the drawn sizes, over times up to 5: e^10 = 2e4, on top of 1e-13
	// (the typical error of a step; the bound is a hundred times larger).
	Compared = 1e-7
	// LogBound bounds the logarithm of a ratio of norms of a commutator, which is known relative to the product
	// of the norms of its factors to 1e-9 (Kept, without the factor for the number of steps, which the drawn
	// trajectories do not reach), as long as it is above logFloor of that product.
	LogBound = 1e-5
	logFloor = 1e-4
	// Decided bounds the distance to a limit that a trajectory has had forty times its slowest time constant to
	// approach, e⁻⁴⁰ = 4e-18, except for the time before the linear regime sets in.
	Decided = 1e-6
	// Slope bounds |log₂ ratio − 1| for errors c/n + d/n² at n and 2n: it is d/(2 n c ln 2) to first order, and
	// the drawn n are such that this stays below an eighth.
	Slope = 0.125
)
