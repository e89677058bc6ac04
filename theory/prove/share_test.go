package prove

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory/lang"
)

const lender = `system flowing
  scalar k > 0
  scalar x, y
  flow
    x' = -k*x
    y' = -k*y
claim energy
  title t
  printed nowhere
  uses flowing
  let V = x^2 + y^2
  says rate: ddt(V) == -2*k*V
    proof
      expand
claim lent-1
  title t
  printed nowhere
  uses flowing
  let V = x^2
  says decay: V decays at rate 2*k
    proof
      fact rate: ddt(V) == -2*k*V by expand
      gronwall rate
  says order: k*x^2 >= y
    assume far: y <= 0
  says modular: x*y == 0
    assume zero: x == 0
    proof
      modulo y*[zero]
`

// TestSharedFacts uses theorems of other claims, rightly and wrongly.
func TestSharedFacts(t *testing.T) {
	const head = "claim borrower\n  title t\n  printed nowhere\n"
	for name, c := range map[string]struct {
		text string
		uses []string
		want string // of the error of the script, or of the file; empty if the script proves its statement
	}{
		"single part": {head + "  uses flowing\n  let Q = x^2 + y^2\n  says v: Q evolves at rate -2*k\n    proof\n" +
			"      fact rate: ddt(Q) == -2*k*Q by energy\n      integrate rate\n", []string{"energy/rate"}, ""},
		"written otherwise": {head + "  uses flowing\n  let Q = x^2 + y^2\n  says v: Q evolves at rate -2*k\n    proof\n" +
			"      fact rate: ddt(Q) == -(k + k)*(y^2 + x^2) by energy/rate\n      integrate rate\n", []string{"energy/rate"}, ""},
		"over time": {head + "  uses flowing\n  says v: x^2 decays at rate 2*k\n    proof\n" +
			"      fact decay: x^2 decays at rate 1*(2*k) by lent-1/decay\n      gronwall decay\n", nil, "it has to be stated as there"},
		"vanishing": {head + "  uses flowing\n  says v: x^2 vanishes\n    proof\n" +
			"      fact decay: x^2 decays at rate 2*k by lent-1/decay\n      gronwall decay\n", []string{"lent-1/decay"}, ""},
		"search": {head + "  uses flowing\n  says v: y*x^2 <= k*x^4 + 0\n    assume low: y <= 0\n    proof\n" +
			"      fact o: k*x^2 >= y by lent-1/order\n      manifest x^2*(k*x^2 - y)\n", []string{"lent-1/order"}, ""},
		"hypothesis": {head + "  uses flowing\n  says v: x*y + x*y == 0\n    assume naught: x == 0\n    proof\n" +
			"      fact m: x*y == 0 by lent-1/modular\n      modulo 2*[m]\n", []string{"lent-1/modular"}, ""},
		"hypothesis not here": {head + "  uses flowing\n  says v: x*y + x*y == 0\n    assume zero: y == 0\n    proof\n" +
			"      fact m: x*y == 0 by lent-1/modular\n      modulo 2*[m]\n", nil, "lent-1/modular assumes zero, which does not follow here"},
		"wrong statement": {head + "  uses flowing\n  let Q = x^2 + y^2\n  says v: Q evolves at rate -2*k\n    proof\n" +
			"      fact rate: ddt(Q) == -3*k*Q by energy\n      integrate rate\n", nil, "energy/rate states something else"},
		"false fact": {head + "  uses flowing\n  says v: x == y\n    proof\n" +
			"      fact rate: x == y by energy\n      modulo [rate]\n", nil, "energy/rate states something else"},
		"no claim": {head + "  uses flowing\n  says v: x == x\n    proof\n" +
			"      fact f: x == x by nobody/part\n      expand\n", nil, "f.claim:36:7: there is no claim ‘nobody’"},
		"no part": {head + "  uses flowing\n  says v: x == x\n    proof\n" +
			"      fact f: x == x by energy/part\n      expand\n", nil, "f.claim:36:7: claim energy has no part called part"},
		"which part": {head + "  uses flowing\n  says v: x == x\n    proof\n" +
			"      fact f: x == x by lent-1\n      expand\n", nil, "claim lent-1 has 3 parts"},
		"circle": {head + "  uses flowing\n  says v: x == x\n    proof\n      fact f: x == x by borrower/w\n      expand\n" +
			"  says w: x == x\n    proof\n      fact f: x == x by borrower/v\n      expand\n", nil, "leads back to here"},
		"in a case and outside": {head + "  uses flowing\n  says v: x*y + x*y == 0\n    assume naught: x == 0\n    proof\n      suppose s: y >= 1\n" +
			"        fact within: x*y == 0 by lent-1/modular\n      fact m: x*y == 0 by lent-1/modular\n      modulo 2*[m]\n", []string{"lent-1/modular"}, ""},
		"no claim in a case": {head + "  uses flowing\n  says v: x == x\n    proof\n      suppose s: y >= 1\n" +
			"        fact f: x == x by nobody/part\n      expand\n", nil, "f.claim:37:9: there is no claim ‘nobody’"},
		"circle in a case": {head + "  uses flowing\n  says v: x == x\n    proof\n      suppose s: y >= 1\n        fact f: x == x by borrower/w\n      expand\n" +
			"  says w: x == x\n    proof\n      suppose s: y >= 1\n        fact f: x == x by borrower/v\n      expand\n", nil, "leads back to here"},
		"itself": {head + "  uses flowing\n  says v: x == x\n    proof\n      fact f: x == x by borrower\n      expand\n", nil, "leads back to here"},
		"symbol not here": {head + "  scalar x, k\n  flow\n    x' = -k*x\n  says v: ddt(x^2) == -2*k*x^2\n    proof\n" +
			"      fact f: ddt(x^2) == -2*k*x^2 by energy\n      expand\n", nil, "energy/rate speaks of y, which is not declared here"},
		"definition here": {head + "  scalar x, k\n  let y = x\n  flow\n    x' = -k*x\n  says v: ddt(x^2) == -2*k*x^2\n    proof\n" +
			"      fact f: ddt(x^2) == -2*k*x^2 by energy\n      expand\n", nil, "energy/rate speaks of the symbol y, which is a definition here"},
		"another class": {head + "  scalar x, y, k\n  flow\n    x' = -k*x\n  says v: ddt(x^2) == -2*k*x^2\n    proof\n" +
			"      fact f: ddt(x^2) == -2*k*x^2 by energy\n      expand\n", nil, "energy/rate speaks of y, which is declared otherwise here"},
		"another flow": {head + "  scalar x, y, k\n  flow\n    x' = -k*x\n    y' = k*y\n  let V = x^2 + y^2\n  says v: ddt(V) == -2*k*V\n    proof\n" +
			"      fact f: ddt(V) == -2*k*V by energy\n      expand\n", nil, "energy/rate is not proved here by its own script"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := lang.Parse(lang.Source{Name: "f.claim", Text: lender + c.text})
			if err != nil {
				if c.want == "" || !strings.Contains(err.Error(), c.want) {
					t.Error(err)
				}
				return
			}
			o := judge(t, f.Claim("borrower").Parts[0], Options{})
			switch err := o.Script(); {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("the script's error is %v, not %s", err, c.want)
			case c.want != "" && (o.Theorems() != nil || o.Uses() != nil):
				t.Error("proved all the same")
			}
			if c.want == "" && !slices.Equal(o.Uses(), c.uses) {
				t.Errorf("uses %v, not %v", o.Uses(), c.uses)
			}
		})
	}
}

// TestSharedFactsOfALibrary uses the built-in claims' theorems in a file of one's own, whose own claims go first.
func TestSharedFactsOfALibrary(t *testing.T) {
	library := claims(t)
	text := `system own
  size n2
  scalar alpha > 0
  scalar eta >= 0
  scalar sigma2 >= 0
  scalar tau
  input dtau
  matrix Wp, F : n2 x n2 symmetric
  let a = 1 + sigma2
  flow
    Wp' = -alpha/2*a*{Wp, F} + alpha*tau*F - eta*Wp
    F' = -a*{Wp^2, F} + tau*{Wp, F} - 2*eta*F
    tau' = dtau
claim mine
  title t
  printed nowhere
  uses own
  let C = F*Wp - Wp*F
  let Q = (1 + sigma2)*(alpha/2*F + Wp^2 - tau/(1 + sigma2)*Wp) + 3/2*eta*I
  says energy: ddt(C) + C*Q == -Q*C
    proof
      fact d: ddt(C) == -(C*Q + Q*C) by thm3-identity/commutator
      modulo [d]
`
	f, err := lang.ParseOver(library, lang.Source{Name: "mine.claim", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	o := judge(t, f.Claim("mine").Parts[0], Options{})
	if o.Script() != nil || !slices.Equal(o.Uses(), []string{"thm3-identity/commutator"}) {
		t.Errorf("uses %v: %v", o.Uses(), o.Script())
	}
	own := text + "claim thm3-identity\n  title t\n  printed nowhere\n  uses own\n  says commutator: F == Wp\n"
	if f, err = lang.ParseOver(library, lang.Source{Name: "mine.claim", Text: own}); err != nil {
		t.Fatal(err)
	}
	o = judge(t, f.Claim("mine").Parts[0], Options{})
	if err := o.Script(); err == nil || !strings.Contains(err.Error(), "has no script") {
		t.Errorf("a false claim of the file's own: %v", err)
	}
	if _, err := lang.Parse(lang.Source{Name: "mine.claim", Text: text}); err == nil {
		t.Error("a claim of no file is used")
	}
}

// TestCitationsInCasesEnd: parts that cite the one before in two cases each are established in more sets of cases than there is
// time for; the script is given up.
func TestCitationsInCasesEnd(t *testing.T) {
	var b strings.Builder
	b.WriteString("claim c\n  title t\n  printed nowhere\n  scalar x\n")
	for k := range 31 {
		fmt.Fprintf(&b, "  scalar y%d\n", k)
	}
	b.WriteString("  let b0 = x + 1\n")
	for k := range 6 {
		fmt.Fprintf(&b, "  let b%d = b%d + b%d\n", k+1, k, k)
	}
	const says = "b6 == 64*b0"
	fmt.Fprintf(&b, "  says p0: %s\n    proof\n      expand\n", says)
	for k := range 30 {
		fmt.Fprintf(&b, "  says p%d: %s\n    proof\n", k+1, says)
		for name, rel := range map[string]string{"f": ">=", "g": "<="} {
			fmt.Fprintf(&b, "      suppose %s%s: y%d %s 0\n        fact %s: %s by c/p%d\n", name, name, k, rel, name, says, k)
		}
		b.WriteString("      expand\n")
	}
	f, err := lang.Parse(lang.Source{Name: "f.claim", Text: b.String()})
	if err != nil {
		t.Fatal(err)
	}
	parts := f.Claims[0].Parts
	if o := judge(t, parts[3], Options{}); o.Script() != nil {
		t.Errorf("eight sets of cases: %v", o.Script())
	}
	if o := judge(t, parts[30], Options{}); o.Script() == nil || o.Theorems() != nil {
		t.Error("2³⁰ sets of cases end")
	}
}
