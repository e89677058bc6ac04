package trajectory

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// TestWorkIsBounded follows short motions of statements that ask for much, each at a place of its own, and of the same
// statements made smaller.
func TestWorkIsBounded(t *testing.T) {
	bounds := func(n int) (out string) {
		for k := range n {
			out += fmt.Sprintf("    assume h%c%d: x > -%d\n", 'a'+k%26, k, k+1)
		}
		return out
	}
	powers := func(n int) string {
		return "  scalar x\n  flow\n    x' = -x*3" + strings.Repeat("^64", n) + "\n  says s: always x >= 3\n"
	}
	few := &Trap{Rows: [][]*big.Rat{{rat("1")}}, Lo: []*big.Rat{rat("1/2")}, Hi: []*big.Rat{rat("2")}}
	long := &Trap{Rows: [][]*big.Rat{{rat("1" + strings.Repeat("0", 100))}}, Lo: few.Lo, Hi: few.Hi}
	const limit = "  scalar x\n  flow\n    x' = 1 - x\n  says s: x vanishes\n"
	const many = "  scalar x\n  flow\n    x' = -x\n  says s: always x >= 3\n"
	for _, c := range []struct {
		text, end string
		trap      *Trap
		want      string
	}{
		{powers(2), "1/1000", nil, "could not enclose"},
		{powers(0), "1/1000", nil, ""},
		{many + bounds(20), "1/8", nil, ""},
		{limit, "1/8", long, "long fractions"},
		{limit, "1/8", few, ""},
	} {
		r := read(t, c.text)
		_, err := Refute(r.Context(), r.Goals()[0], at(t, r, "x=1"), Course{End: rat(c.end), Order: 10, Steps: 50, Trap: c.trap})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%.80q: %v, wanted %q", c.text, err, c.want)
		}
	}
}

// TestMeterIsOne follows a motion when nearly everything is spent and when nothing is: what is asked before counts.
func TestMeterIsOne(t *testing.T) {
	r := read(t, "  scalar x\n  flow\n    x' = -x\n  says s: always x >= 3\n")
	enclose := func(before int64) (err error) {
		defer caught(&err)
		m := follow(r.Context(), at(t, r, "x=1"), nil)
		m.pay(before)
		m.enclose(Course{End: rat("1/8"), Order: 10, Steps: 50})
		return nil
	}
	if err := enclose(0); err != nil {
		t.Error(err)
	}
	if err := enclose(maxEffort - 10); err == nil || !strings.Contains(err.Error(), "operations on intervals in all") {
		t.Errorf("with ten operations left: %v", err)
	}
}
