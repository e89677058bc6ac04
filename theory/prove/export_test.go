package prove

// WithGamma is [Prove] of a reading's goals under another Γ of the same dynamics.
var WithGamma = proveUnder
