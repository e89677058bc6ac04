package kernel

import "testing"

// TestNormalForm compares normal forms of terms that are equal, and of terms that are not, under hypotheses that
// give structure. Divisors are taken to be nonzero here; rules ask for that themselves.
func TestNormalForm(t *testing.T) {
	s := declare(t, "n m k; x y z a; A:n,n B:n,n C:n,m W:m,n S:n,n R:n,n K:n,n L:n,n U:n,k Q:n,n D:n,n G:n,n u:n,1 v:n,1 w:m,1 o:1,1 P:n,n M:k,k")
	c := state(t, NewDynamics(s), "S^T == S", "R psd", "K^T == -K", "L^T == -L", "U^T*U == I(k)", "Q^T*Q == I(n)", "D diagonal", "G diagonal")
	for _, test := range []struct {
		l, r string
		same bool
	}{
		{"(x + y)^2", "x^2 + 2*x*y + y^2", true},
		{"(x + y)^2", "x^2 + x*y + y^2", false},
		{"x/y + z/y", "(x + z)/y", true},
		{"1/x + 1/y", "(x + y)/(x*y)", true},
		{"1/x + 1/y", "1/(x + y)", false},
		{"1/(1/x + 1/y)", "x*y/(x + y)", true},
		{"(x^2 - y^2)/(x - y)", "x + y", true},
		{"(x^2 + y^2)/(x - y)", "x + y", false},
		{"1/(2*x + 2*y)", "1/2/(x + y)", true},
		{"1/(x*y + x*z)", "1/x/(y + z)", true},
		{"x/x", "1", true},
		{"(1/(1/x))", "x", true},
		{"root(x)^2", "x", true},
		{"root(x)^3", "x*root(x)", true},
		{"root(x^2)", "x", false},
		{"root(x)*root(y)", "root(x*y)", false},
		{"root(4)", "2", true},
		{"root(2)^2", "2", true},
		{"root(2)", "1", false},
		{"root(0)", "0", true},
		{"(root(x) - root(y))*(root(x) + root(y))", "x - y", true},
		{"1/root(x)", "root(x)/x", true},
		{"1/(a - root(x)) - 1/(a + root(x))", "2*root(x)/(a^2 - x)", true},
		{"(root(root(x) + 1))^2", "root(x) + 1", true},
		{"A*B", "B*A", false},
		{"(A + B)^2", "A^2 + A*B + B*A + B^2", true},
		{"(A + B)^2", "A^2 + 2*A*B + B^2", false},
		{"A^0", "I(n)", true},
		{"(A*B)^T", "B^T*A^T", true},
		{"S*R", "(R*S)^T", true},
		{"A*S", "(A*S)^T", false},
		{"K^T*A", "-K*A", true},
		{"K^2", "(K^2)^T", true},
		{"U^T*U", "I(k)", true},
		{"U*U^T", "I(n)", false},
		{"Q*Q^T", "I(n)", true},
		{"(U*U^T)^2", "U*U^T", true},
		{"D*G", "G*D", true},
		{"D*A*G", "G*A*D", false},
		{"D*G*inv(D)", "G", true},
		{"G*D^2*G*inv(D)", "D*G^2", true},
		{"A*inv(A)", "I(n)", true},
		{"inv(A)*A*B*inv(B)", "I(n)", true},
		{"inv(A*B)", "inv(B)*inv(A)", true},
		{"inv(A*B)", "inv(A)*inv(B)", false},
		{"inv(A^T)", "inv(A)^T", true},
		{"inv(S)", "inv(S)^T", true},
		{"inv(A)^T*A", "I(n)", false},
		{"inv(inv(A))", "A", true},
		{"inv(2*x*A)", "1/(2*x)*inv(A)", true},
		{"inv(S + x*I(n))^T", "inv(S + x*I(n))", true},
		{"inv((A + x*I(n))^T)", "inv(A + x*I(n))^T", true},
		{"inv(A + B)", "inv(A) + inv(B)", false},
		{"tr(A*B)", "tr(B*A)", true},
		{"tr(A*B*S)", "tr(B*A*S)", false},
		{"tr(A*B)", "tr(A^T*B^T)", true},
		{"tr(A*S*B)", "tr(B^T*S*A^T)", true},
		{"tr(K)", "0", true},
		{"tr(K*S)", "0", true},
		{"tr(K*S*K)", "0", false},
		{"tr(K*L)", "tr(L*K)", true},
		{"tr(K*A)", "-tr(K*A^T)", true},
		{"tr(K*L*K)", "0", true},
		{"tr(I(n))", "size(n)", true},
		{"tr(I(n))", "size(m)", false},
		{"tr(U*U^T)", "size(k)", true},
		{"tr(U^T*A*U)", "tr(A)", false},
		{"tr(U*M*U^T)", "tr(M)", true},
		{"tr(inv(A)*B*A)", "tr(B)", true},
		{"tr(D*A*G)", "tr(G*D*A)", true},
		{"tr(D*A*G)", "tr(D*A)*tr(G)", false},
		{"tr(C*W)", "tr(W*C)", true},
		{"tr(u*v^T)", "tr(v^T*u)", true},
		{"u*(v^T*A*u)*v^T", "tr(v^T*A*u)*u*v^T", true},
		{"tr(u*v^T*A*u*v^T*B)", "tr(v^T*A*u)*tr(v^T*B*u)", true},
		{"tr(u*v^T*A*u*v^T*B)", "tr(v^T*A*u)*tr(u^T*B*v)", false},
		{"v^T*u", "u^T*v", true},
		{"o*u^T", "tr(o)*u^T", true},
		{"o^2", "tr(o)*o", true},
		{"kron(A, B)*kron(S, R)", "kron(A*S, B*R)", true},
		{"kron(A, B)", "kron(B, A)", false},
		{"kron(A, B)^T", "kron(A^T, B^T)", true},
		{"kron(x*A, B)", "kron(A, x*B)", true},
		{"kron(A + S, B)", "kron(A, B) + kron(S, B)", true},
		{"kron(I(n), I(n))", "I(n*n)", true},
		{"tr(kron(A, B))", "tr(A)*tr(B)", true},
		{"tr(kron(A, B))", "tr(A*B)", false},
		{"kron(A, B)*rvec(S)", "rvec(A*S*B^T)", true},
		{"kron(A, B)*vec(S)", "vec(B*S*A^T)", true},
		{"kron(A, B)*vec(S)", "vec(A*S*B^T)", false},
		{"rvec(C^T)", "vec(C)", true},
		{"rvec(A)", "vec(A)", false},
		{"rvec(C)^T*rvec(C)", "tr(C^T*C)*I(1)", true},
		{"vec(W)^T*kron(S, I(m))*vec(W)", "tr(W*S*W^T)*I(1)", true},
		{"rvec(u)", "u", true},
		{"rvec(u^T)", "u", true},
		{"size(n*m)", "size(n)*size(m)", true},
		{"tr(I(n*m))", "size(m)*size(n)", true},
	} {
		l, err := tryRead(s, test.l)
		if err != nil {
			t.Errorf("%s: %v", test.l, err)
			continue
		}
		r, err := tryRead(s, test.r)
		if err != nil {
			t.Errorf("%s: %v", test.r, err)
			continue
		}
		same, err := func() (same bool, err error) {
			defer caught(&err)
			return c.norm.isZero(s.sub(l, r)), nil
		}()
		if err != nil || same != test.same {
			t.Errorf("%s and %s: same %v, want %v (%v)", test.l, test.r, same, test.same, err)
		}
		// Spelling a normal form out keeps it.
		if e, err := c.Expanded(l); err != nil {
			t.Errorf("%s: %v", test.l, err)
		} else if c.refill(); !c.norm.isZero(s.sub(l, e)) {
			t.Errorf("%s is spelled out as another term", test.l)
		}
	}
	for _, bad := range []string{"tr(rvec(A)*rvec(A)^T)", "kron(u, v)", "rvec(kron(A, B))", "inv(kron(A, B))", "1/(x - x)", "inv(A - A)",
		"(x + y + z + a + 1)^64", "(A + B)^20", "((((((2^4096)^4096)))))"} {
		b, err := tryRead(s, bad)
		if err == nil {
			func() {
				defer caught(&err)
				c.refill()
				c.norm.isZero(b)
			}()
		}
		if err == nil {
			t.Errorf("%s has a normal form", bad)
		}
	}
}
