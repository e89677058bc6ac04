package region

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/lang"
)

const good = `about: a corner of the plane
sizes:
  n1: 2..4
  n2: 3
parameters:
  eta:    {from: 0, to: 1/4, open: to}
  alpha:  {from: 0.1, to: 10, scale: log}
  tau:    {from: -1e-3, to: "1.20", open: [from, to], scale: linear}
  sigma2: 1/2      # fixed
initial:
  W:  {normal: 1/2}
  Wp: {uniform: [-1, 1]}
`

func TestDecodeReadsExactNumbers(t *testing.T) {
	r, err := Decode([]byte(good), "good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := `size n1 2 4
size n2 3 3
parameter eta [0, 1/4) linear
parameter alpha [1/10, 10] log
parameter tau (-1/1000, 6/5) linear
parameter sigma2 1/2 linear
initial W N(0, 1/2²)
initial Wp U[-1, 1]
`
	if got := r.Canonical(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if r.About != "a corner of the plane" {
		t.Errorf("about %q", r.About)
	}
	// 0.1 has no finite binary form: a float literal on the way would show.
	if b, _ := r.Box("alpha"); b.Lo.RatString() != "1/10" {
		t.Errorf("alpha starts at %s", b.Lo.RatString())
	}
}

// bad are files with one mistake each, and the message that names its line.
var bad = []struct{ name, text, want string }{
	{"empty", "", "f:1: an empty file"},
	{"comment only", "# nothing\n", "f:1: an empty file"},
	{"nothing bounded", "about: x\n", "f:1: the file bounds nothing"},
	{"list", "- a\n", "f:1: the file is a list; expected keys with values"},
	{"unknown key", "parameters:\n  eta: 1\nparamters: 2\n", "f:3: unknown key paramters; expected about, sizes, parameters or initial"},
	{"unknown key of a box", "parameters:\n  eta:\n    from: 0\n    upto: 1\n", "f:4: unknown key eta.upto; expected from, to, open or scale"},
	{"inverted bounds", "parameters:\n  a: 1\n  eta: {from: 1/2, to: 1/3}\n", "f:3: parameter eta: inverted bounds, from 1/2 to 1/3"},
	{"octal", "parameters:\n  eta: {from: 1/020, to: 1}\n", "f:2: eta.from is \"1/020\"; expected a number"},
	{"empty box", "parameters:\n  eta: {from: 1, to: 1.0, open: to}\n", "f:2: parameter eta: an empty box, from 1 to itself with an open end"},
	{"truth value", "parameters:\n  eta: true\n", "f:2: parameter eta is the truth value true; expected a number or {from: …, to: …}"},
	{"list for a box", "parameters:\n  eta: [0, 1]\n", "f:2: parameter eta is a list; expected a number or {from: …, to: …}"},
	{"missing value", "parameters:\n  eta:\n", "f:2: parameter eta is missing; expected a number"},
	{"infinite", "parameters:\n  eta: .inf\n", `f:2: parameter eta is ".inf"`},
	{"not a number", "parameters:\n  eta: .nan\n", `f:2: parameter eta is ".nan"`},
	{"hexadecimal", "parameters:\n  eta: 0x10\n", `f:2: parameter eta is "0x10"; expected a number such as`},
	{"underscore", "parameters:\n  eta: 1_000\n", `f:2: parameter eta is "1_000"; expected a number such as`},
	{"division by zero", "parameters:\n  eta: 1/0\n", `f:2: parameter eta is "1/0"; expected a number such as`},
	{"huge exponent", "parameters:\n  eta: 1e999999999\n", `f:2: parameter eta is "1e999999999"; expected a number such as`},
	{"beyond float64", "parameters:\n  eta: 1e700\n", `f:2: parameter eta is "1e700", beyond the largest number, about 1.8e308`},
	{"end beyond float64", "parameters:\n  eta: {from: -1e309, to: 1}\n", `f:2: eta.from is "-1e309", beyond the largest number, about 1.8e308`},
	{"deviation beyond float64", "initial:\n  W: {normal: 1e999}\n", `f:2: W.normal is "1e999", beyond the largest number, about 1.8e308`},
	{"denormal", "parameters:\n  eta: {from: 5e-324, to: 1, scale: log}\n", `f:2: eta.from is "5e-324", nearer to 0 than the smallest number, about 2.2e-308`},
	{"below denormals", "initial:\n  W: {uniform: [-1, 1e-999]}\n", `f:2: W.uniform is "1e-999", nearer to 0 than the smallest number, about 2.2e-308`},
	{"digits", "parameters:\n  eta: 0." + strings.Repeat("1", 100_000) + "\n", `f:2: parameter eta is "0.` + strings.Repeat("1", 38) + `"… (100002 characters); expected a number of at most 100 characters`},
	{"digits of a size", "sizes:\n  n: " + strings.Repeat("1", 100_000) + "\n", `f:2: size n is "` + strings.Repeat("1", 40) + `"… (100000 characters); expected a number from 1 to 64`},
	{"digits of a name", "parameters:\n  2" + strings.Repeat("e", 1000) + ": 1\n", `f:2: "2` + strings.Repeat("e", 39) + `"… (1001 characters) is no name of the claim language`},
	{"text", "parameters:\n  eta: {from: zero, to: 1}\n", `f:2: eta.from is "zero"; expected a number such as`},
	{"no from", "parameters:\n  eta: {to: 1}\n", "f:2: parameter eta has no from"},
	{"no to", "parameters:\n  eta:\n    from: 1\n", "f:2: parameter eta has no to"},
	{"open what", "parameters:\n  eta: {from: 0, to: 1, open: left}\n", `f:2: eta.open is "left"; expected from, to or [from, to]`},
	{"scale what", "parameters:\n  eta: {from: 0, to: 1, scale: sqrt}\n", `f:2: eta.scale is "sqrt"; expected linear or log`},
	{"log from zero", "parameters:\n  eta: {from: 0, to: 1, scale: log}\n", "f:2: parameter eta: a log scale from 0; it must start above 0"},
	{"twice", "parameters:\n  eta: 1\n  eta: 2\n", "f:3:"},
	{"bad name", "parameters:\n  2eta: 1\n", `f:2: "2eta" is no name of the claim language`},
	{"empty mapping", "parameters: {}\n", "f:1: parameters is empty"},
	{"sizes inverted", "sizes:\n  n: 4..2\n", "f:2: size n: inverted bounds 4..2"},
	{"size zero", "sizes:\n  n: 0\n", `f:2: size n is "0"; expected a number from 1 to 64, or a range such as 2..4`},
	{"size fraction", "sizes:\n  n: 1.5\n", `f:2: size n is "1.5"; expected a number from 1 to 64`},
	{"size huge", "sizes:\n  n: 1..9999\n", `f:2: size n is "1..9999"`},
	{"distribution unknown", "initial:\n  W: {cauchy: 1}\n", "f:2: unknown key W.cauchy; expected normal or uniform"},
	{"distribution twice", "initial:\n  W: {normal: 1, uniform: [0, 1]}\n", "f:2: initial W has two distributions"},
	{"distribution scalar", "initial:\n  W: 1\n", `f:2: initial W is "1"; expected keys with values`},
	{"negative deviation", "initial:\n  W: {normal: -1}\n", "f:2: W.normal is -1; expected a positive standard deviation"},
	{"one end", "initial:\n  W: {uniform: [1]}\n", "f:2: W.uniform is a list; expected two ends such as [-1, 1]"},
	{"ends inverted", "initial:\n  W: {uniform: [1, -1]}\n", "f:2: W.uniform: inverted bounds, from 1 to -1"},
	{"two documents", "parameters: {eta: 1}\n---\nparameters: {eta: 2}\n", "f:3: a second document"},
	{"anchor", "parameters: {eta: &x 1, tau: *x}\n", "f:1: parameter eta is an anchor or alias"},
	{"tag", "parameters: {eta: !!str 1}\n", "f:1: parameter eta is a tagged value"},
	{"about a list", "about: [x]\nparameters: {eta: 1}\n", "f:1: about is a list; expected text"},
	{"no YAML", "parameters: {eta: 1\n", "f:1:"},
	{"tabs", "parameters:\n\teta: 1\n", "f:"},
}

func TestDecodeRefusesWithTheLine(t *testing.T) {
	for _, c := range bad {
		r, err := Decode([]byte(c.text), "f")
		switch {
		case err == nil:
			t.Errorf("%s: accepted", c.name)
		case r != nil:
			t.Errorf("%s: a region beside the error", c.name)
		case !strings.HasPrefix(err.Error(), "region: "+c.want) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: %q, want it to start with %q and to be one line", c.name, err, "region: "+c.want)
		}
	}
}

// TestEveryLineOfAGoodFileMatters spoils every line of a good file in turn: all of them matter.
func TestEveryLineOfAGoodFileMatters(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(good), "\n")
	for i, l := range lines {
		spoilt := append([]string(nil), lines...)
		indent := l[:len(l)-len(strings.TrimLeft(l, " "))]
		spoilt[i] = indent + "mistake: [unclosed"
		if _, err := Decode([]byte(strings.Join(spoilt, "\n")), "f"); err == nil {
			t.Errorf("line %d spoilt and accepted: %q", i+1, l)
		}
	}
}

func claimParts(t *testing.T, id string) []*lang.Part {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return f.Claim(id).Parts
}

func TestFitsNamesWhatTheClaimDoesNotKnow(t *testing.T) {
	for _, c := range []struct{ claim, text, want string }{
		{"thm1", "parameters: {eta: 1}\n", ""},
		{"thm1", "parameters: {eta: 1, gamma: 2}\n", "f:1: claim thm1 has no parameter gamma; it has alpha, eta"},
		{"thm1", "sizes:\n  n3: 2\n", "f:2: claim thm1 has no size n3; it has n1, n2"},
		{"thm1", "initial:\n  F: {normal: 1}\n", "f:2: claim thm1 has no matrix F; it has"},
		{"basin", "initial:\n  F: {normal: 1}\n", "f:2: claim basin has no matrix F; it has none"},
		{"thm1", "parameters:\n  alpha: {from: -2, to: -1}\n", "f:2: no value of alpha in [-2, -1] is allowed by claim thm1"},
		{"thm1", "parameters:\n  alpha: 0\n", "f:2: no value of alpha in 0 is allowed by claim thm1"},
	} {
		r, err := Decode([]byte(c.text), "f")
		if err != nil {
			t.Fatal(err)
		}
		err = r.Fits(c.claim, claimParts(t, c.claim), nil)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.text, err)
			}
		} else if err == nil || !strings.HasPrefix(err.Error(), "region: "+c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestNarrowCutsTheDomain(t *testing.T) {
	r, err := Decode([]byte("parameters:\n  eta: {from: -1, to: 1/2, open: to}\n  alpha: {from: 0, to: 3}\n"), "f")
	if err != nil {
		t.Fatal(err)
	}
	narrow := r.Narrow(claimParts(t, "thm1")[0])
	d, ok := narrow("eta") // η ≥ 0
	if !ok || d.Lo.Sign() != 0 || d.LoOpen || d.Hi.RatString() != "1/2" || !d.HiOpen {
		t.Errorf("eta in %+v", d)
	}
	if d, ok = narrow("alpha"); !ok || d.Lo.Sign() != 0 || !d.LoOpen || d.Hi.RatString() != "3" {
		t.Errorf("alpha in %+v", d)
	}
	if _, ok = narrow("beta"); ok {
		t.Error("beta is narrowed by nothing")
	}
}

func TestBoxIsSampledOnItsScale(t *testing.T) {
	r, err := Decode([]byte("parameters:\n  a: {from: 1/100, to: 1, scale: log}\n  b: {from: -1, to: 3, open: from}\n"), "f")
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.Box("a")
	b, _ := r.Box("b")
	// The middle of a log scale is the geometric mean: 1/10. exp and log err by a few units in the last place.
	if got := a.At(0.5); got < 0.1-1e-15 || got > 0.1+1e-15 {
		t.Errorf("middle of the log scale %v", got)
	}
	if b.At(0.5) != 1 || !(b.At(0) > -1) {
		t.Errorf("middle %v, start %v", b.At(0.5), b.At(0))
	}
}

// TestBoxesAsWideAsFloat64: samples stay in the box, are numbers, and reach its halves.
func TestBoxesAsWideAsFloat64(t *testing.T) {
	r, err := Decode([]byte(`parameters:
  a: {from: -1e308, to: 1e308}
  b: {from: 2.3e-308, to: 1.7e308, scale: log}
  c: {from: -1.7e308, to: 1.7e308, open: [from, to]}
  d: {from: 2.3e-308, to: 2.4e-308}
  e: {from: 1e-200, to: 1e200, scale: log}
`), "f")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range r.Parameters {
		below := 0
		lo, _ := b.Lo.Float64()
		hi, _ := b.Hi.Float64()
		middle := lo/2 + hi/2
		if b.Scale == Log {
			middle = math.Sqrt(lo) * math.Sqrt(hi)
		}
		const n = 1000
		for i := range n {
			v := b.At(float64(i) / n)
			if !(lo <= v && v <= hi) {
				t.Fatalf("%s: %v at %v", b.Name, v, float64(i)/n)
			}
			if v < middle*(1-1e-12) {
				below++
			}
		}
		if below < n*4/10 || below > n*6/10 {
			t.Errorf("%s: %d of %d samples in the lower half", b.Name, below, n)
		}
	}
}

func TestUniformDistributionAsWideAsFloat64(t *testing.T) {
	r, err := Decode([]byte("initial:\n  W: {uniform: [-1e308, 1e308]}\n"), "f")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		u := float64(i) / 100
		if v := r.Initial[0].At(u); math.Abs(v/1e308-(2*u-1)) > 1e-12 {
			t.Errorf("at %v: %v", u, v)
		}
	}
}

func TestReadFileNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.yaml")
	if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), "r.yaml") {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, make([]byte, maxBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("oversized file: %v", err)
	}
}

// TestUnusedNamesWhatHasNoEffect: a parameter that one of two statements does not use is named with the line.
func TestUnusedNamesWhatHasNoEffect(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "t", Text: "claim c\n  title t\n  printed nowhere\n  scalar a, b > 0\n  says one: a > 0\n  says two: a + b > 0\n"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Decode([]byte("parameters:\n  a: 1\n  b: {from: 0, to: 1}\n"), "f")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Unused(f.Claims[0].Parts); len(got) != 1 || got[0] != "f:3: b is not used by one" {
		t.Errorf("%q", got)
	}
	if got := r.Unused(f.Claims[0].Parts[1:]); got != nil {
		t.Errorf("%q", got)
	}
}
