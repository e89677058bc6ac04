package enclosure_test

import (
	"fmt"
	"math/big"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
)

// A trajectory of one mode, and a statement about all of it.
func Example() {
	parse := func(s string) interval.Interval {
		x, err := interval.Parse(s)
		if err != nil {
			panic(err)
		}
		return x
	}
	sys := enclosure.Decoupled(enclosure.Hyper{
		Alpha: parse("1"), Sigma2: parse("0"), Tau: parse("1"), Eta: parse("0.1"),
	})
	x0 := []interval.Interval{parse("0.3"), parse("0.5")}
	tube, err := enclosure.Integrate(sys, x0, new(big.Rat), big.NewRat(20, 1), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := tube.Final()[0]
	fmt.Println("p(20) is enclosed to 12 digits:", p.Wid() < 1e-12)

	// p stays above 1/4 but not above 2/5.
	for _, bound := range []*big.Rat{big.NewRat(1, 4), big.NewRat(2, 5)} {
		answer, err := tube.Positive(sys.Var("p").Sub(sys.Const(bound)), 20)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("p > %s throughout: %v\n", bound.RatString(), answer.Verdict)
	}
	// Output:
	// p(20) is enclosed to 12 digits: true
	// p > 1/4 throughout: holds
	// p > 2/5 throughout: fails
}
