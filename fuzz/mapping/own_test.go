package mapping

import (
	"context"
	"math"
	"math/big"
	"strings"
	"testing"

	"stopgrad/theory/lang"
)

func ownPart(t *testing.T, flow string) *lang.Part {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "t", Text: "claim c\n  title t\n  printed nowhere\n  scalar x, a, b\n  flow\n" + flow + "  says s: x == x\n"})
	if err != nil {
		t.Fatal(err)
	}
	return f.Claims[0].Parts[0]
}

func ownAxis(t *testing.T, text string) Axis {
	t.Helper()
	ax, err := ParseOwnAxis(text)
	if err != nil {
		t.Fatal(err)
	}
	return ax
}

// TestOwnMapKnowsTheBasins of x' = (x − a)(b − x) for b = 2: below a away for ever, above it to b.
func TestOwnMapKnowsTheBasins(t *testing.T) {
	spec := Own{Part: ownPart(t, "    x' = (x - a)*(b - x)\n"), X: ownAxis(t, "x=-3:5:16"), Y: ownAxis(t, "a=-1:1:8"), Set: map[string]*big.Rat{"b": big.NewRat(2, 1)}}
	m, err := MapOwn(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	away := 0
	for _, c := range m.Cells {
		want := 2.0
		if c.X < c.Y {
			want, away = math.Inf(-1), away+1
		}
		if c.Limit != want && math.Abs(c.Limit-want) > 1e-12 {
			t.Errorf("x = %v, a = %v: %v, want %v", c.X, c.Y, c.Limit, want)
		}
	}
	if away == 0 || away == len(m.Cells) {
		t.Errorf("%d of %d go away: the map tells nothing", away, len(m.Cells))
	}
	var b strings.Builder
	if err := m.WriteCSV(&b); err != nil || !strings.HasPrefix(b.String(), "x,a,limit\n-2.75,-0.875,-Inf\n") {
		t.Errorf("%v: %q", err, b.String()[:40])
	}
}

func TestOwnMapRefuses(t *testing.T) {
	good := ownPart(t, "    x' = a - b*x\n")
	for _, c := range []struct {
		name string
		spec Own
		want string
	}{
		{"two variables", Own{Part: ownPart(t, "    x' = a\n    b' = x\n")}, "this one moves 2 quantities"},
		{"unknown axis", Own{Part: good, X: ownAxis(t, "q=0:1"), Y: ownAxis(t, "x=0:1")}, "no quantity q"},
		{"twice", Own{Part: good, X: ownAxis(t, "x=0:1"), Y: ownAxis(t, "x=0:1")}, "x is given twice"},
		{"nothing set", Own{Part: good, X: ownAxis(t, "x=0:1"), Y: ownAxis(t, "a=0:1")}, "b is on no axis"},
		{"too long", Own{Part: ownPart(t, "    x' = a + 0*("+strings.Repeat("x + ", 1000)+"x)\n"), X: ownAxis(t, "x=0:1:64"), Y: ownAxis(t, "a=1:2:64"), Set: map[string]*big.Rat{"b": big.NewRat(1, 1)}}, "4096 cells with an equation of 2005 operations"},
		{"no polynomial", Own{Part: ownPart(t, "    x' = a/(x + 2) - b\n"), X: ownAxis(t, "x=0:1"), Y: ownAxis(t, "a=1:2"), Set: map[string]*big.Rat{"b": big.NewRat(1, 1)}}, "no polynomial"},
	} {
		if m, err := MapOwn(context.Background(), c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", c.name, m, err)
		}
	}
}
