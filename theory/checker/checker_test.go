package checker

import (
	"math/big"
	"strings"
	"testing"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

const systems = `system plane
  size n
  scalar eta > 0
  scalar c >= 0
  matrix W : n x n
  matrix P : n x n psd
  flow
    W' = -eta*W - W*P

system line
  scalar k > 0
  scalar h
  scalar x
  flow
    x' = x*(k - x)
`

func part(t *testing.T, text string) *lang.Part {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "t", Text: systems + text})
	if err != nil {
		t.Fatal(err)
	}
	return f.Claims[0].Parts[0]
}

// TestEachRule replays, for every rule, a script that is right and scripts that are wrong in one respect.
func TestEachRule(t *testing.T) {
	for _, c := range []struct {
		name, text string
		fails      string // part of the failure, or "" if the script must replay
	}{
		{"expand", "says a: (W + W^T)^T == W + W^T\n    proof\n      expand", ""},
		{"expand, false", "says a: (W + W^T)^T == W - W^T\n    proof\n      expand", "differ"},
		{"expand of an inequality", "says a: c >= 0\n    proof\n      expand", "form"},
		{"expand divides by what may vanish", "says a: W*c/c == W\n    proof\n      expand", "not known to be nonzero"},
		{"modulo", "says a: W*P == P*W^T\n    assume h: W*P == P*W^T\n    proof\n      modulo [h]", ""},
		{"modulo, a term without hypothesis", "says a: W*P == P*W\n    assume h: W*P == P*W^T\n    proof\n      modulo [h] + P*W^T - P*W", "contains no hypothesis"},
		{"modulo, wrong combination", "says a: W*P == P*W\n    assume h: W*P == P*W^T\n    proof\n      modulo [h]", "misses"},
		{"modulo divides by a hypothesis", "scalar d\n  says a: d == 0\n    assume h: c == 0\n    proof\n      modulo [h]*d/[h]", "not known to be nonzero"},
		{"manifest", "says a: tr(W^T*P*W) + c >= 0\n    proof\n      manifest tr(W^T*P*W) + c", ""},
		{"manifest, strict", "says a: eta + c > 0\n    proof\n      manifest eta + c", ""},
		{"manifest, only nonnegative", "says a: c > 0\n    proof\n      manifest c", "not manifestly positive"},
		{"manifest of a difference", "says a: eta - c >= 0\n    proof\n      manifest eta - c", "not manifestly nonnegative"},
		{"manifest, other expression", "says a: eta - c >= 0\n    proof\n      manifest eta + c", "differ"},
		{"manifest, trace of an indefinite square", "says a: tr(W*W) >= 0\n    proof\n      manifest tr(W*W)", "not manifestly"},
		{"manifest, trace of two psd matrices", "matrix R : n x n psd\n  says a: tr(P*R) >= 0\n    proof\n      manifest tr(P*R)", ""},
		{"manifest, trace of three psd matrices", "matrix R : n x n psd\n  matrix S : n x n psd\n  says a: tr(P*R*S) >= 0\n    proof\n      manifest tr(P*R*S)", "not manifestly"},
		{"manifest psd", "says a: W*P*W^T + c*I psd\n    proof\n      manifest W*P*W^T + c*I", ""},
		{"manifest psd of a product", "matrix R : n x n psd\n  says a: P*R psd\n    proof\n      manifest P*R", "not manifestly"},
		{"manifest, odd power", "scalar y\n  says a: y^3 >= 0\n    proof\n      manifest y^3", "not manifestly"},
		{"sturm", "scalar y >= 0, <= 1\n  says a: 2 + y^2 > 2*y\n    proof\n      sturm y", ""},
		{"sturm, sign change", "scalar y >= 0, <= 3\n  says a: 2 > y\n    proof\n      sturm y", "sign is not constant"},
		{"sturm, second symbol", "scalar y >= 0\n  says a: y + c + 1 > 0\n    proof\n      sturm y", "other than y"},
		{"integrate", "scalar q\n  says a: W evolves at rate -eta\n    uses shrink\n    proof\n      fact r: ddt(W) == -eta*W by expand\n      integrate r", ""},
		{"integrate, other rate", "says a: W evolves at rate -2*eta\n    uses shrink\n    proof\n      fact r: ddt(W) == -eta*W by expand\n      integrate r", "does not say"},
		{"integrate, moving rate", "says a: x evolves at rate k - x\n    uses line\n    proof\n      fact r: ddt(x) == (k - x)*x by expand\n      integrate r", "moves along the flow"},
		{"gronwall", "says a: |W| decays at rate eta\n    proof\n      fact e: -ddt(tr(W^T*W)) - 2*eta*tr(W^T*W) >= 0 by manifest 2*tr(W*P*W^T)\n      gronwall e", ""},
		{"gronwall, too fast", "says a: |W| decays at rate 2*eta\n    proof\n      fact e: -ddt(tr(W^T*W)) - 2*eta*tr(W^T*W) >= 0 by manifest 2*tr(W*P*W^T)\n      gronwall e", "does not say"},
		{"gronwall, rate of unknown sign", "says a: W vanishes\n    uses drift\n    proof\n      fact r: ddt(W) == -g*W by expand\n      fact l: W evolves at rate -g by integrate r\n      gronwall l", "not known to be positive"},
		{"congruence", "says a: P0 moves by congruence\n    uses congruent\n    proof\n      congruence A", ""},
		{"congruence, other factor", "says a: P0 moves by congruence\n    uses congruent\n    proof\n      congruence A^T", "differ"},
		{"barrier", "says a: x stays nonnegative\n    uses line\n    proof\n      barrier [self]*(k - x)", ""},
		{"barrier, negative push", "says a: x stays nonnegative\n    uses pushed\n    proof\n      barrier -[self] + (-k)", "not manifestly nonnegative"},
		{"barrier, push towards zero", "says a: x stays zero\n    uses pushed\n    proof\n      barrier -[self] + k", "contains no [self]"},
		{"monotone", "says a: x tends to k from 0 < x < k\n    uses line\n    proof\n      fact g: ddt(x) > 0 by manifest x*(k - x)\n      monotone g", ""},
		{"monotone, towards the wrong end", "says a: x tends to 0 from 0 < x < k\n    uses line\n    proof\n      fact g: ddt(x) > 0 by manifest x*(k - x)\n      monotone g", "does not say"},
		{"monotone, to no end", "says a: x tends to k/2 from 0 < x < k\n    uses line\n    proof\n      fact g: ddt(x) > 0 by manifest x*(k - x)\n      monotone g", "not an end"},
		{"monotone, end is no fixed point", "says a: x tends to k/2 from 0 < x < k/2\n    uses line\n    proof\n      fact g: ddt(x) > 0 by manifest x*((k/2 - x) + k/2)\n      monotone g", "differ"},
		{"the script stops early", "says a: W == W\n    proof\n      fact f: P == P by expand", "stops before"},
		{"a step too many", "says a: W == W\n    proof\n      expand\n      expand", "after the statement"},
	} {
		t.Run(c.name, func(t *testing.T) {
			extra := `
system shrink
  size n
  scalar eta > 0
  matrix W : n x n
  flow
    W' = -eta*W

system drift
  size n
  scalar g
  matrix W : n x n
  flow
    W' = -g*W

system congruent
  size n
  matrix A : n x n
  matrix P0 : n x n symmetric
  flow
    P0' = A*P0 + P0*A^T

system pushed
  scalar k > 0
  scalar x
  flow
    x' = -x - k
`
			uses := "  uses plane\n"
			if strings.Contains(c.text, "    uses ") {
				uses = ""
			}
			p := Prove(part(t, extra+"claim c\n"+uses+"  "+c.text+"\n"))
			switch {
			case c.fails == "" && !p.Verdict().IsProved():
				t.Errorf("does not replay: %v", p.Failure())
			case c.fails != "" && p.Verdict().IsProved():
				t.Error("replays, and should not")
			case c.fails != "" && !strings.Contains(p.Failure().Error(), c.fails):
				t.Errorf("fails for another reason: %v", p.Failure())
			}
		})
	}
}

func rat(s string) *big.Rat { r, _ := new(big.Rat).SetString(s); return r }

func state(dims map[lang.Dim]int, vals map[string]eval.Matrix[*big.Rat]) Witness {
	return Witness{Dims: dims, Vals: vals}
}

// TestRefuteBelievesOnlyCounterexamples hands the checker a true counterexample and ones that fail in one
// respect.
func TestRefuteBelievesOnlyCounterexamples(t *testing.T) {
	p := part(t, "claim c\n  uses plane\n  says a: tr(W^T*W) <= c\n    assume h: c > 0\n")
	at := func(eta, c, w, pp string) Witness {
		return state(map[lang.Dim]int{"n": 1}, map[string]eval.Matrix[*big.Rat]{"eta": eval.ScalarOf(rat(eta)), "c": eval.ScalarOf(rat(c)),
			"W": eval.ScalarOf(rat(w)), "P": eval.ScalarOf(rat(pp))})
	}
	for _, c := range []struct {
		name string
		w    Witness
		want bool
	}{
		{"counterexample", at("1", "1", "2", "0"), true},
		{"the statement holds", at("1", "4", "2", "0"), false},
		{"hypothesis fails", at("1", "0", "2", "0"), false},
		{"outside the domain", at("-1", "1", "2", "0"), false},
		{"structure fails", at("1", "1", "2", "-1"), false},
	} {
		r, err := Refute(p, c.w)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Verdict().IsRefuted() != c.want {
			t.Errorf("%s: %s", c.name, r.Verdict())
		}
	}
	w := at("1", "1", "2", "0")
	delete(w.Vals, "P")
	if _, err := Refute(p, w); err == nil || !strings.Contains(err.Error(), "no value for P") {
		t.Errorf("a witness without P: %v", err)
	}
	w = at("1", "1", "2", "0")
	w.Dims["n"] = 2
	if _, err := Refute(p, w); err == nil {
		t.Error("a 1×1 witness for a 2×2 symbol was accepted")
	}
}

// TestBoundaryHypothesesDoNotRefuteDecay: for a statement over time a hypothesis that holds only on its
// boundary at the witness may fail at once, so that nothing follows.
func TestBoundaryHypothesesDoNotRefuteDecay(t *testing.T) {
	text := "claim c\n  uses line\n  says a: x decays at rate 0\n    assume h: x <= h\n"
	w := state(nil, map[string]eval.Matrix[*big.Rat]{"k": eval.ScalarOf(rat("2")), "h": eval.ScalarOf(rat("1")), "x": eval.ScalarOf(rat("1"))})
	r, err := Refute(part(t, text), w)
	if err != nil || r.Verdict().IsRefuted() {
		t.Errorf("refuted on the boundary of its hypothesis: %v", err)
	}
	w.Vals["h"] = eval.ScalarOf(rat("3/2"))
	if r, err = Refute(part(t, text), w); err != nil || !r.Verdict().IsRefuted() {
		t.Errorf("not refuted inside: %v", err)
	}
}

func TestZeroVerdictClaimsNothing(t *testing.T) {
	var v Verdict
	if v.IsProved() || v.IsRefuted() || v.String() != "undecided" {
		t.Errorf("the zero verdict says %s", v)
	}
	if got := Conjunction(Verdict{proved}, Verdict{refuted}); !got.IsRefuted() {
		t.Errorf("proved and refuted parts together: %s", got)
	}
	if got := Conjunction(Verdict{proved}, Supported); got.IsProved() {
		t.Error("a supported part makes no proved claim")
	}
	if got := Conjunction(); got.IsProved() {
		t.Error("an empty conjunction is proved")
	}
}
