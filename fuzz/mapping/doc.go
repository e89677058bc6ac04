// Package mapping maps what becomes of a mode over two hyper-parameters or initial values: collapse or
// growth, the margin of alignment, the time to a decision, the final size; with what the theory predicts
// drawn over what was measured.
//
// A map is a grid of cells, each integrated from its centre until its outcome is certain (decide.go says when
// it is), refined where neighbours differ. It measures the flows of numeric/flow and knows nothing of the
// prediction; the prediction (saddle.go, predict.go) is computed apart from it: the saddle p₋, its stable
// manifold, the critical decay η*, the windows of κ = ηa/τ².
//
// Notation: p and s are the eigenvalues of the predictor and of the feature correlation, α, η, β, σ², τ the
// parameters of package flow, a = 1+σ², c = s − p²/α the distance from the invariant parabola. Claims:
// decoupled, invariance-scalar, 1d-dynamics, fixed-points, eta-critical, basin, ema-negative, wd-alignment.
package mapping
