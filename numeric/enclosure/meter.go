package enclosure

import (
	"errors"
	"fmt"
	"math/big"
)

// ErrWork is wrapped by the error of what takes more work than a [Meter] allows.
var ErrWork = errors.New("enclosure: more work than allowed")

// Meter counts the work of a system's integrations, tubes and traps together, in operations on intervals, and bounds it.
// It is not safe for concurrent use.
type Meter struct{ spent, limit int64 }

// NewMeter returns a meter that allows so many operations.
func NewMeter(limit int64) *Meter { return &Meter{limit: limit} }

// Spent is what was counted so far; it is above the limit once something was refused.
func (m *Meter) Spent() int64 { return m.spent }

// Spend counts work that is done elsewhere. The error wraps [ErrWork].
func (m *Meter) Spend(n int64) error {
	if m == nil {
		return nil
	}
	m.spent = max(m.spent, min(m.spent, m.limit)+min(n, m.limit+1))
	return m.Err()
}

// Err is an error that wraps [ErrWork] once something was refused.
func (m *Meter) Err() error {
	if m == nil || m.spent <= m.limit {
		return nil
	}
	return fmt.Errorf("%w: more than %d operations on intervals in all", ErrWork, m.limit)
}

// Limit lets a meter count whatever the system is asked from now on; nil counts nothing.
func (s *System) Limit(m *Meter) { s.meter = m }

// maxHeld is how many coefficients, derivatives included, an integration may hold at once: 16 bytes each.
const maxHeld = 1 << 25

// fits is an error if the coefficients of a program up to an order would not fit.
func (p *program) fits(order int) error {
	if held := int64(len(p.ops)) * int64(p.n+1) * int64(order+1); held > maxHeld {
		return fmt.Errorf("%w: %d coefficients held at once, of %d", ErrWork, held, maxHeld)
	}
	return nil
}

// fraction is the work of an operation on fractions that gives x: bringing it to lowest terms takes the square of its length.
func fraction(x *big.Rat) int64 {
	words := int64(length(x) / 64)
	return 8 + words + words*words
}

// cost is the work of one run of a program up to an order, with derivatives by the variables or without.
func (p *program) cost(order int, grad bool) int64 {
	series, n := int64(order+1), int64(0)
	if grad {
		n = int64(p.n)
	}
	sum := int64(p.n) * (1 + n) * series
	for _, in := range p.ops {
		switch {
		case in.fixed:
			sum += 1 + n*series
		case in.op == opDiv, in.op == opSqr, in.op == opMul && !p.ops[in.a].fixed && !p.ops[in.b].fixed:
			sum += series * (series + 1) / 2 * (1 + 2*n)
		default:
			sum += series * (1 + n)
		}
	}
	return sum
}
