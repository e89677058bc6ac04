package prove

import (
	"fmt"

	"stopgrad/theory/kernel"
)

// univariate proves the sign of a polynomial in one symbol.
func (s *state) univariate(f kernel.Formula, x *kernel.Term) (kernel.Theorem, error) {
	return kernel.Theorem{}, fmt.Errorf("no proof was found")
}
