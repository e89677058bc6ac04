package shrink

import (
	"flag"
	"strconv"
	"testing"
)

// AtMost lowers rapid's number of checks to n for the rest of the test, if it is at its default of 100: a
// number asked for by -rapid.checks or RAPID_CHECKS stays. It is for properties whose single check is slow,
// and must not be used in parallel tests.
func AtMost(t testing.TB, n int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f == nil || f.Value.String() != "100" || n >= 100 {
		return
	}
	set := func(v string) {
		if err := flag.Set("rapid.checks", v); err != nil {
			t.Fatal(err)
		}
	}
	set(strconv.Itoa(n))
	t.Cleanup(func() { set("100") })
}
