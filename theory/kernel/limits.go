package kernel

import (
	"fmt"
	"math/big"
)

// The limits of what the kernel looks at. Each keeps a hostile or careless input from taking all memory or time;
// passing one is an error that names it.
const (
	MaxTerms     = 200_000   // terms of one signature
	MaxMonomials = 20_000    // monomials of one normal form
	MaxProducts  = 2_000_000 // products of monomials in one application of a rule
	MaxExponent  = 4_096     // exponents, and the letters of a word
	MaxBits      = 65_536    // bits of numerator or denominator of a coefficient
	MaxNesting   = 500       // height of a term

	contextWork = 50 // what making a context counts as
)

// effort is the work of making a number of so many words, beyond that of a small one: bringing a fraction to lowest terms takes the
// square of its length. It is counted of the operands, as they may cancel.
func effort(words int) int { return words + words*words/64 }

// words is the length of a number.
func words(x *big.Rat) int { return max(x.Num().BitLen(), x.Denom().BitLen()) / 64 }

// Fault is the error of everything the kernel refuses: what was asked for and why it cannot be had.
type Fault struct {
	msg   string
	limit bool // what was asked for may make sense: there is too much of it, or no rule for it
}

// Error renders the fault.
func (f *Fault) Error() string { return "kernel: " + f.msg }

// Limit reports whether what was asked for may make sense, and is too large or beyond what terms are made of here.
func (f *Fault) Limit() bool { return f.limit }

// refuse fails; the exported doors turn the panic into an error. It carries one private type, so that no other
// panic is ever mistaken for a refusal.
func refuse(format string, args ...any) {
	panic(&Fault{msg: fmt.Sprintf(format, args...)})
}

// exceed fails because a limit is passed, in size or in kind.
func exceed(format string, args ...any) {
	panic(&Fault{fmt.Sprintf(format, args...), true})
}

// caught turns a refusal into the error of an exported door, and lets every other panic pass.
func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Fault:
		*err = r
	default:
		panic(r)
	}
}
