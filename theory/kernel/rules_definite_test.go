package kernel

import "testing"

func TestDefiniteMatrices(t *testing.T) {
	tryUses(t, "n m; c x; P:n,n Q:n,n A:n,n B:n,n K:n,m; C:m,m", []use{
		{"identity", "I(n) pd", "", "", ""},
		{"identity", "I(n) psd", "", "", ""},
		{"identity", "O(n,n) psd", "", "", ""},
		{"identity", "O(n,n) pd", "this rule says", "", ""},
		{"identity", "P psd", "this rule says", "", ""},
		{"identity", "I(n) invertible", "not invertible", "", ""},

		{"msum", "P + Q psd", "", "P psd; Q psd", ""},
		{"msum", "P + Q pd", "", "P psd; Q pd", ""},
		{"msum", "P + Q pd", "", "P pd; Q psd", ""},
		{"msum", "P + Q pd", "neither", "P psd; Q psd", ""},
		{"msum", "P + Q psd", "premise 1", "Q psd; P psd", ""},
		{"msum", "P + Q psd", "premise 2", "P psd; Q invertible", ""},
		{"msum", "P + Q psd", "premise 2", "P psd; A psd", ""},
		{"msum", "P*Q psd", "no sum", "P psd; Q psd", ""},
		{"msum", "P + Q invertible", "not invertible", "P pd; Q pd", ""},

		{"mscale", "c*P psd", "", "c >= 0; P psd", ""},
		{"mscale", "c*P psd", "", "c > 0; P pd", ""},
		{"mscale", "c*P pd", "", "c > 0; P pd", ""},
		{"mscale", "c*P pd", "premise 1", "c >= 0; P pd", ""},
		{"mscale", "c*P pd", "premise 2", "c > 0; P psd", ""},
		{"mscale", "c*P psd", "premise 1", "c != 0; P psd", ""},
		{"mscale", "c*P psd", "premise 1", "x >= 0; P psd", ""},
		{"mscale", "c*P psd", "premise 2", "c >= 0; Q psd", ""},
		{"mscale", "P*Q psd", "not a sign", "P psd; Q psd", ""},
		{"mscale", "P + Q psd", "no product", "c >= 0; P psd", ""},

		{"gram", "K^T*K psd", "", "", ""},
		{"gram", "K*K^T psd", "", "", ""},
		{"gram", "A*A psd", "not a matrix and its transpose", "", ""},
		{"gram", "A^T*B psd", "not a matrix and its transpose", "", ""},
		{"gram", "A*B^T psd", "not a matrix and its transpose", "", ""},
		{"gram", "A^T + A psd", "no product", "", ""},
		{"gram", "A^T*A pd", "this rule establishes", "", ""},

		{"congruence", "K^T*P*K psd", "", "P psd", ""},
		{"congruence", "K*C*K^T psd", "", "C pd", ""},
		{"congruence", "A^T*P*A pd", "", "P pd; A invertible", ""},
		{"congruence", "A*P*A^T pd", "", "P pd; A pd", ""},
		{"congruence", "A^T*P*A^T^T pd", "", "P pd; A^T invertible", ""},
		{"congruence", "A^T*P*A pd", "2 premise", "P pd", ""},
		{"congruence", "A^T*P*A psd", "1 premise", "P psd; A invertible", ""},
		{"congruence", "A^T*P*A pd", "premise 2", "P pd; B invertible", ""},
		{"congruence", "A^T*P*A pd", "premise 2", "P pd; A psd", ""},
		{"congruence", "A*P*A^T pd", "premise 2", "P pd; A^T invertible", ""},
		{"congruence", "A^T*P*A pd", "premise 1", "P psd; A invertible", ""},
		{"congruence", "A^T*P*A psd", "premise 1", "Q psd", ""},
		{"congruence", "A*P*A psd", "not a matrix and its transpose", "P psd", ""},
		{"congruence", "A^T*P*B psd", "not a matrix and its transpose", "P psd", ""},
		{"congruence", "A^T*(P*A) psd", "no product", "P psd", ""},

		{"minverse", "inv(P) pd", "", "P pd", ""},
		{"minverse", "inv(P) pd", "premise 1", "P psd", "P invertible"},
		{"minverse", "inv(P) pd", "premise 1", "Q pd", "P invertible"},
		{"minverse", "P^T pd", "no inverse", "P pd", ""},
		{"minverse", "inv(P) psd", "this rule establishes", "P pd", ""},

		{"mtrace", "tr(P) >= 0", "", "P psd", ""},
		{"mtrace", "tr(P) > 0", "", "P pd", ""},
		{"mtrace", "tr(P) != 0", "", "P pd", ""},
		{"mtrace", "tr(P*Q) >= 0", "", "P psd; Q pd", ""},
		{"mtrace", "tr(P*Q) > 0", "", "P pd; Q pd", ""},
		{"mtrace", "tr(P) > 0", "premise 1", "P psd", ""},
		{"mtrace", "tr(P) >= 0", "premise 1", "P invertible", ""},
		{"mtrace", "tr(P) >= 0", "premise 1", "Q psd", ""},
		{"mtrace", "tr(P*Q) > 0", "premise 1", "P psd; Q pd", ""},
		{"mtrace", "tr(P*Q) > 0", "premise 2", "P pd; Q psd", ""},
		{"mtrace", "tr(P*Q) >= 0", "premise 2", "P psd; A psd", ""},
		{"mtrace", "tr(P + Q) >= 0", "no product", "P psd; Q psd", ""},
		{"mtrace", "tr(P) >= 0", "1 premise", "", ""},
		{"mtrace", "c >= 0", "no trace", "P psd", ""},

		{"kron", "kron(P, C) psd", "", "P psd; C psd", ""},
		{"kron", "kron(P, C) pd", "", "P pd; C pd", ""},
		{"kron", "kron(P, C) pd", "premise 1", "P psd; C pd", ""},
		{"kron", "kron(P, C) pd", "premise 2", "P pd; C psd", ""},
		{"kron", "kron(P, C) psd", "premise 1", "Q psd; C psd", ""},
		{"kron", "kron(P, C) psd", "premise 2", "P psd; Q psd", ""},
		{"kron", "P*Q psd", "no kronecker", "P psd; Q psd", ""},

		{"regular", "P pd", "", "P psd; P invertible", ""},
		{"regular", "P pd", "premise 1", "P invertible; P invertible", ""},
		{"regular", "P pd", "premise 2", "P psd; P psd", ""},
		{"regular", "P pd", "premise 1", "Q psd; P invertible", ""},
		{"regular", "P pd", "premise 2", "P psd; Q invertible", ""},
		{"regular", "P psd", "this rule establishes", "P psd; P invertible", ""},

		{"minvertible", "A*B invertible", "", "A invertible; B pd", ""},
		{"minvertible", "c*A invertible", "", "c > 0; A invertible", ""},
		{"minvertible", "inv(A) invertible", "", "A invertible", ""},
		{"minvertible", "A^T invertible", "", "A invertible", ""},
		{"minvertible", "A*B invertible", "premise 2", "A invertible; B psd", ""},
		{"minvertible", "A*B invertible", "premise 1", "P invertible; B invertible", ""},
		{"minvertible", "A*B invertible", "2 premise", "A invertible", ""},
		{"minvertible", "c*A invertible", "premise 1", "c >= 0; A invertible", ""},
		{"minvertible", "c*A invertible", "premise 1", "x != 0; A invertible", ""},
		{"minvertible", "c*A invertible", "premise 2", "c != 0; A psd", ""},
		{"minvertible", "A^T invertible", "premise 1", "B invertible", ""},
		{"minvertible", "A^T invertible", "1 premise", "", ""},
		{"minvertible", "A + B invertible", "nothing is known", "A invertible; B invertible", ""},
		{"minvertible", "A^T pd", "this rule establishes", "A invertible", ""},

		{"diagonal", "I(n) diagonal", "", "", ""},
		{"diagonal", "O(n,n) diagonal", "", "", ""},
		{"diagonal", "A + B diagonal", "", "A diagonal; B diagonal", ""},
		{"diagonal", "A*B diagonal", "", "A diagonal; B diagonal", ""},
		{"diagonal", "c*A diagonal", "", "A diagonal", ""},
		{"diagonal", "A^3 diagonal", "", "A diagonal", ""},
		{"diagonal", "A^T diagonal", "", "A diagonal", ""},
		{"diagonal", "A + B diagonal", "premise 2", "A diagonal; P diagonal", ""},
		{"diagonal", "A + B diagonal", "premise 2", "A diagonal; B psd", ""},
		{"diagonal", "A*B diagonal", "2 premise", "A diagonal", ""},
		{"diagonal", "A diagonal", "nothing is known", "", ""},
		{"diagonal", "I(n) psd", "this rule establishes", "", ""},
	})
}

func TestQuadraticForm(t *testing.T) {
	s := declare(t, "n; x; P:n,n S:n,n a:n; hole v:n w:n")
	d := NewDynamics(s)
	nonnegative := func(k, v string) string { return "tr((" + v + ")^T*(" + k + ")*(" + v + ")) >= 0" }
	try := func(k, v, why string, hyps ...string) {
		t.Helper()
		// What is said of v for all its values is written as a hypothesis of a context of its own, where it is of no
		// use but to be looked at: a form of another name is refused for the hypothesis.
		c := state(t, d, hyps...)
		var premises []Theorem
		for _, p := range []string{k + " == (" + k + ")^T", nonnegative(k, v)} {
			th, err := c.Apply("hyp", statement(t, s, p), nil)
			if err != nil {
				th = prove(t, c, "explode", p, []Theorem{prove(t, c, "hyp", "false", nil)})
			}
			premises = append(premises, th)
		}
		goal := k + " psd"
		if why == "" {
			prove(t, c, "form", goal, premises, read(t, s, v))
		} else {
			refused(t, c, "form", goal, why, premises, read(t, s, v))
		}
	}
	try("P", "v", "", "false")
	try("P", "a", "is a hole", "false")
	try("P", "v + w", "is a hole", "false")
	try("P + v*v^T", "v", "the matrix mentions v", "false")
	try("P + w*w^T", "v", "", "false")
	try("P", "v", "a hypothesis mentions v", "false", "tr(v*v^T) > 0")
	try("P", "v", "", "false", "tr(w*w^T) > 0")
	try("P", "v", "a hypothesis mentions v", "P == P^T", nonnegative("P", "v"))
	// Other premises than those of the goal.
	c := state(t, d, "false")
	ex := func(goal string) Theorem {
		return prove(t, c, "explode", goal, []Theorem{prove(t, c, "hyp", "false", nil)})
	}
	v := read(t, s, "v")
	refused(t, c, "form", "P psd", "premise 1", []Theorem{ex("S == S^T"), ex(nonnegative("P", "v"))}, v)
	refused(t, c, "form", "P psd", "premise 1", []Theorem{ex("P == P"), ex(nonnegative("P", "v"))}, v)
	refused(t, c, "form", "P psd", "premise 2", []Theorem{ex("P == P^T"), ex(nonnegative("S", "v"))}, v)
	refused(t, c, "form", "P psd", "premise 2", []Theorem{ex("P == P^T"), ex(nonnegative("P", "w"))}, v)
	refused(t, c, "form", "P psd", "premise 2", []Theorem{ex("P == P^T"), ex("tr(v^T*P*v) >= -1")}, v)
	refused(t, c, "form", "P psd", "premise 2", []Theorem{ex("P == P^T"), ex("tr(v^T*P*v) != 0")}, v)
	refused(t, c, "form", "P pd", "this rule establishes", []Theorem{ex("P == P^T"), ex(nonnegative("P", "v"))}, v)
}
