package law

import "slices"

// laws in the order of the claims ledger.
var laws = slices.Concat(general, reducedLaws, modeLaws)
