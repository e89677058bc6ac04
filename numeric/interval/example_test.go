package interval_test

import (
	"fmt"

	"stopgrad/numeric/interval"
)

// Bounds come from text, exactly; every printed bound is true of the real number.
func Example() {
	eta, err := interval.Parse("[0.01, 1/4]")
	if err != nil {
		fmt.Println(err)
		return
	}
	one := interval.Point(1)
	// The larger root of p² − p + η = 0, over the whole range of η.
	root := one.Add(one.Sub(eta.Mul(interval.Point(4))).Sqrt()).Div(interval.Point(2))
	fmt.Println(root)
	_, err = interval.Parse("[2, 1]")
	fmt.Println(err)
	// Output:
	// [0.5, 0.9898979485566358]
	// interval: not an interval: "[2, 1]": the lower end exceeds the upper
}

// A decoration tells whether the expression has a value everywhere on the box.
func ExampleDecorated() {
	x, err := interval.ParseDecorated("[-1, 4]")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.Sqrt())
	fmt.Println(x.Sqr().Sqrt())
	// Output:
	// [0, 2]_trv
	// [0, 4]_com
}
