package prove

import "stopgrad/theory/lang"

// BuiltIn reads the built-in claims. The tests outside of the package set it: what reads them imports the package.
var BuiltIn func() (*lang.File, error)

// WithGamma is [Prove] of a reading's goals under another Γ of the same dynamics.
var WithGamma = proveUnder
