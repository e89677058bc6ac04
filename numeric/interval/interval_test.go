package interval

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
)

// mustParse reads a literal of a test table.
func mustParse(t *testing.T, text string) Interval {
	t.Helper()
	x, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestInvalidConstructionsGiveAnErrorAndTheWholeLine(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, ends := range [][2]float64{
		{nan, 1}, {1, nan}, {nan, nan}, {2, 1}, {inf, inf}, {-inf, -inf}, {inf, -inf},
	} {
		x, err := New(ends[0], ends[1])
		if !errors.Is(err, ErrInvalid) || !x.IsEntire() {
			t.Errorf("New(%v, %v) = %v, %v", ends[0], ends[1], x, err)
		}
	}
	x, err := FromRats(big.NewRat(2, 1), big.NewRat(1, 1))
	if !errors.Is(err, ErrInvalid) || !x.IsEntire() {
		t.Errorf("FromRats(2, 1) = %v, %v", x, err)
	}
	for _, f := range []float64{nan, inf, -inf} {
		mustPanic(t, "Point", func() { Point(f) })
	}
	for _, r := range []float64{nan, -1} {
		mustPanic(t, "Symmetric", func() { Symmetric(r) })
	}
}

func mustPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s does not panic", name)
		}
	}()
	f()
}

func TestParse(t *testing.T) {
	for _, row := range []struct{ text, lo, hi string }{
		{"0.1", "1/10", "1/10"},
		{" 2/3 ", "2/3", "2/3"},
		{"[-010/81, 1/010]", "-10/81", "1/10"}, // decimal, whatever it begins with
		{"00/07", "0", "0"},
		{"[-1/3, 0x1.8p-1]", "-1/3", "3/4"},
		{"[1e-400]", "1e-400", "1e-400"},
		{"3.1416?1", "3.1415", "3.1417"},
		{"-10?u", "-10", "-9.5"},
		{"1.5?2de3", "1.3e3", "1.5e3"},
		{".5", "1/2", "1/2"},
	} {
		lo, _ := new(big.Rat).SetString(row.lo)
		hi, _ := new(big.Rat).SetString(row.hi)
		got := mustParse(t, row.text)
		if why := tightest(got, &model{ext{r: lo}, ext{r: hi}}); why != "" {
			t.Errorf("%q = %v: %s", row.text, got, why)
		}
	}
	for _, row := range []struct {
		text string
		want Interval
	}{
		{"[]", Empty()}, {"[ EMPTY ]", Empty()}, {"[entire]", Entire()}, {"[,]", Entire()},
		{"[-inf, 1]", Interval{math.Inf(-1), 1}}, {"[1, +Infinity]", Interval{1, math.Inf(1)}},
		{"5??", Entire()}, {"5??d", Interval{math.Inf(-1), 5}}, {"[-0, 0]", Interval{}},
		{"[1e400]", Interval{math.MaxFloat64, math.Inf(1)}},
	} {
		if got := mustParse(t, row.text); got != row.want {
			t.Errorf("%q = %v, want %v", row.text, got, row.want)
		}
	}
	for _, text := range []string{
		"", "x", "[1", "1]", "[2, 1]", "[1.0000000000000002, 1.0000000000000001]", "[inf]", "[inf, inf]",
		"[1, -inf]", "nan", "[nan, 1]", "1_000", "1/0", "0x", "1e", "1e99999", "0x1p99999", "1?1e99999",
		"[1,2,3]", "1e5/2", "--1", strings.Repeat("9", 5000), "[nai]", "1+1",
	} {
		x, err := Parse(text)
		if !errors.Is(err, ErrInvalid) || !x.IsEntire() {
			t.Errorf("%.20q = %v, %v", text, x, err)
		} else if msg := err.Error(); strings.Contains(msg, "\n") || len(msg) > 300 {
			t.Errorf("error is not one short line: %s", msg)
		}
	}
}

func TestTextRoundTrip(t *testing.T) {
	for _, x := range patternIntervals(patternEnds) {
		text, err := x.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if y := mustParse(t, string(text)); y != x {
			t.Errorf("%s read back as %v", text, y)
		}
		// The decimal text is outward: the interval it denotes contains x.
		if y := mustParse(t, x.String()); !x.Subset(y) {
			t.Errorf("String %s does not contain %s", x, text)
		}
		lo, hi, ok := x.Rats()
		if ok == x.IsEmpty() {
			t.Errorf("Rats of %v", x)
		}
		if y, err := FromRats(lo, hi); ok && (err != nil || y != x) {
			t.Errorf("ends %v, %v of %v read back as %v, %v", lo, hi, x, y, err)
		}
	}
	y := Interval{1, 2}
	if err := json.Unmarshal([]byte(`"[3, 2]"`), &y); err == nil || y != (Interval{1, 2}) {
		t.Errorf("a rejected text changed the receiver: %v, %v", y, err)
	}
}

func TestStringIsOutward(t *testing.T) {
	// 0.1 as float64 lies above 1/10, so 1/10 may end it below but not above.
	x := Point(0.1)
	if got, want := x.String(), "[0.1, 0.10000000000000002]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := x.Neg().String(), "[-0.10000000000000002, -0.1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// The neighbour of 1 is 1 − 2^−53 = 0.99999999999999988898…
	if got, want := Point(nextDown(1)).String(), "[0.9999999999999998, 0.9999999999999999]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := (Interval{-1.5, math.Inf(1)}).String(), "[-1.5, inf]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEmptySetCertifiesNothing(t *testing.T) {
	e := Empty()
	if e.Positive() || e.Negative() || e.NonNegative() || e.NonPositive() || e.Contains(0) ||
		e.ContainsRat(new(big.Rat)) || e.IsBounded() || e.IsPoint() || e.IsTight() || e.IsEntire() {
		t.Error("a predicate that certifies holds for the empty set")
	}
	if !math.IsNaN(e.Mid()) || !math.IsNaN(e.Rad()) || !math.IsNaN(e.Mag()) || !math.IsNaN(e.Mig()) || !math.IsNaN(e.Wid()) {
		t.Error("a measure of the empty set is a number")
	}
}

func TestSignPredicates(t *testing.T) {
	for _, row := range []struct {
		x                       Interval
		pos, neg, nonneg, nonps bool
	}{
		{Interval{1, 2}, true, false, true, false},
		{Interval{0, 2}, false, false, true, false},
		{Interval{-2, 0}, false, false, false, true},
		{Interval{-2, -1}, false, true, false, true},
		{Interval{-1, 1}, false, false, false, false},
		{Interval{}, false, false, true, true},
		{Entire(), false, false, false, false},
	} {
		if row.x.Positive() != row.pos || row.x.Negative() != row.neg ||
			row.x.NonNegative() != row.nonneg || row.x.NonPositive() != row.nonps {
			t.Errorf("signs of %v", row.x)
		}
	}
}

func TestMembershipAgreesWithExactComparison(t *testing.T) {
	x := FromRat(big.NewRat(1, 3))
	if !x.ContainsRat(big.NewRat(1, 3)) || x.ContainsRat(big.NewRat(333333, 1000000)) {
		t.Error("membership of rationals")
	}
	if x.IsPoint() || !x.IsTight() || !Point(1).IsTight() || (Interval{1, 2}).IsTight() {
		t.Error("tightness of enclosures of single numbers")
	}
	if !Entire().ContainsRat(big.NewRat(1, 3)) || Entire().Contains(math.Inf(1)) || Entire().Contains(math.NaN()) {
		t.Error("membership in the line")
	}
}

// TestSetOperationsOnPatterns checks hull, intersection and the relations by
// membership of the pattern points themselves.
func TestSetOperationsOnPatterns(t *testing.T) {
	ends := []float64{math.Inf(-1), -2, -1, 0, 1, 3, math.Inf(1)}
	points := []float64{-3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 2, 3, 4}
	intervals := patternIntervals(ends)
	for _, x := range intervals {
		for _, y := range intervals {
			hull, meet := x.Hull(y), x.Intersect(y)
			subset, disjoint := true, true
			for _, p := range points {
				inX, inY := x.Contains(p), y.Contains(p)
				if meet.Contains(p) != (inX && inY) {
					t.Fatalf("%v ∩ %v = %v at %v", x, y, meet, p)
				}
				if (inX || inY) && !hull.Contains(p) {
					t.Fatalf("hull of %v and %v = %v at %v", x, y, hull, p)
				}
				subset = subset && (!inX || inY)
				disjoint = disjoint && !(inX && inY)
			}
			if x.Subset(y) != subset || x.Disjoint(y) != disjoint {
				t.Fatalf("%v subset of, or disjoint from %v", x, y)
			}
			if x.Interior(y) && !x.Subset(y) || x.StrictlyPrecedes(y) && !x.Precedes(y) || x.StrictlyLess(y) && !x.WeaklyLess(y) {
				t.Fatalf("relations of %v and %v", x, y)
			}
			if x != y && !x.IsEmpty() && hull == x && !y.Subset(x) {
				t.Fatalf("hull of %v and %v", x, y)
			}
		}
	}
	if (Interval{0, 1}).Interior(Interval{0, 2}) || !(Interval{0.5, 1}).Interior(Interval{0, 2}) {
		t.Error("interior of [0, 2]")
	}
}

func TestMidAndRadCoverTheInterval(t *testing.T) {
	for _, x := range patternIntervals(patternEnds) {
		if x.IsEmpty() {
			continue
		}
		m, r := x.Mid(), x.Rad()
		if !x.Contains(m) {
			t.Errorf("midpoint %v outside %v", m, x)
		}
		if !math.IsInf(r, 1) && !x.Subset(Point(m).Add(Symmetric(r))) {
			t.Errorf("%v ± %v does not cover %v", m, r, x)
		}
		if w := x.Wid(); w < 0 || math.IsInf(r, 1) && !math.IsInf(w, 1) {
			t.Errorf("width %v of %v", w, x)
		}
	}
}

func TestZeroValues(t *testing.T) {
	var x Interval
	if x != Point(0) {
		t.Error("the zero Interval is not [0, 0]")
	}
	var d Decorated
	if !d.IsNaI() || !d.Add(Decorate(Point(1))).IsNaI() || !d.With(Common).IsNaI() {
		t.Error("the zero Decorated is not a lasting NaI")
	}
	if y, err := d.Interval(); err == nil || !y.IsEntire() {
		t.Error("NaI has an interval")
	}
}

func TestDecorationTellsWhereAnExpressionIsDefined(t *testing.T) {
	dec := func(text string) Decorated { return Decorate(mustParse(t, text)) }
	for _, row := range []struct {
		name string
		got  Decorated
		want Decoration
	}{
		{"√[-1,4]", dec("[-1,4]").Sqrt(), Trivial},
		{"√[0,4]", dec("[0,4]").Sqrt(), Common},
		{"1/[0,1]", dec("[0,1]").Recip(), Trivial},
		{"1/[1,2]", dec("[1,2]").Recip(), Common},
		{"[1,2]/[-1,1]", dec("[1,2]").Div(dec("[-1,1]")), Trivial},
		{"log[0,1]", dec("[0,1]").Log(), Trivial},
		{"[-1,1]^-2", dec("[-1,1]").PowInt(-2), Trivial},
		{"[0,1]^[0,1]", dec("[0,1]").Pow(dec("[0,1]")), Trivial},
		{"[0,1]^[1,2]", dec("[0,1]").Pow(dec("[1,2]")), Common},
		{"1 + √[-1,4]", dec("1").Add(dec("[-1,4]").Sqrt()), Trivial},
		{"[1,inf]+1", dec("[1,inf]").Add(dec("1")), Continuous},
		{"overflow", dec("[1e300]").Sqr(), Continuous},
		{"√[-2,-1]", dec("[-2,-1]").Sqrt(), Trivial},
		{"[1,2]∩[1,3]", dec("[1,2]").Intersect(dec("[1,3]")), Trivial},
	} {
		if row.got.Decoration() != row.want {
			t.Errorf("%s = %v, want %v", row.name, row.got, row.want)
		}
	}
	if s := dec("[0,4]").Sqrt().String(); s != "[0, 2]_com" {
		t.Errorf("printed as %s", s)
	}
	for _, text := range []string{"[1,inf]_com", "[]_def", "[1,2]_xyz", "[1,2]_ill", "[2,1]_com", "[1,2]_"} {
		if d, err := ParseDecorated(text); !errors.Is(err, ErrInvalid) || !d.IsNaI() {
			t.Errorf("%s = %v, %v", text, d, err)
		}
	}
	if d, err := ParseDecorated("[1e400]_com"); err != nil || d.Decoration() != Continuous {
		t.Errorf("a bounded literal beyond float64: %v, %v", d, err)
	}
}
