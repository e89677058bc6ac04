package lang

import (
	"fmt"
	"strings"
)

// Unicode renders an expression for a terminal, in the paper's notation.
func Unicode(e *Expr) string { return printer{}.expr(e, 0) }

// LaTeX renders an expression as LaTeX mathematics, from the tree that is elaborated.
func LaTeX(e *Expr) string { return printer{latex: true}.expr(e, 0) }

// UnicodeStmt and LaTeXStmt render a statement.
func UnicodeStmt(s *Stmt) string { return printer{}.stmt(s) }

// LaTeXStmt renders a statement as LaTeX mathematics.
func LaTeXStmt(s *Stmt) string { return printer{latex: true}.stmt(s) }

type printer struct{ latex bool }

// brackets puts a text in brackets.
func (p printer) brackets(s string) string {
	if p.latex {
		return `\left(` + s + `\right)`
	}
	return "(" + s + ")"
}

// precedence levels: 0 sum, 1 product, 2 unary, 3 postfix, 4 what takes a postfix. One text has one reading: an operator
// written without brackets around all of it stands by itself or in a sum.
func (p printer) expr(e *Expr, level int) string {
	wrap := func(s string, own int) string {
		if own < level {
			return p.brackets(s)
		}
		return s
	}
	pick := func(latex, plain string) string {
		if p.latex {
			return latex
		}
		return plain
	}
	switch e.Kind {
	case Num:
		if !e.Val.IsInt() {
			return wrap(pick(`\frac{`+e.Val.Num().String()+"}{"+e.Val.Denom().String()+"}", e.Val.RatString()), 1)
		}
		return e.Val.RatString()
	case Sym:
		return p.symbol(e.Name)
	case Unit:
		return "I"
	case Hyp:
		return pick(`\langle `+e.Name+`\rangle`, "["+e.Name+"]")
	case Neg:
		return wrap(pick("-", "−")+p.expr(e.Args[0], 2), 1)
	case Trans:
		return wrap(p.base(e.Args[0], "T")+pick(`^{\top}`, "ᵀ"), 3)
	case Pow:
		return wrap(p.base(e.Args[0], fmt.Sprint(e.N))+pick(fmt.Sprintf("^{%d}", e.N), super(e.N)), 3)
	case Add:
		return wrap(p.expr(e.Args[0], 0)+" + "+p.expr(e.Args[1], 0), 0)
	case Sub:
		return wrap(p.expr(e.Args[0], 0)+pick(" - ", " − ")+p.expr(e.Args[1], 1), 0)
	case Mul:
		l, r := p.expr(e.Args[0], 1), p.expr(e.Args[1], 2)
		return wrap(l+pick(between(l, r), "·")+r, 1)
	case Div:
		if p.latex {
			return wrap(`\frac{`+p.expr(e.Args[0], 0)+"}{"+p.expr(e.Args[1], 0)+"}", 2)
		}
		return wrap(p.expr(e.Args[0], 1)+"/"+p.expr(e.Args[1], 3), 1)
	}
	return wrap(p.call(e))
}

// base renders what an exponent stands at. A symbol whose letter has an exponent of its own, or which with this exponent would
// look like another symbol, as sigma^2 and sigma2 do, stands in brackets.
func (p printer) base(e *Expr, exponent string) string {
	s := p.expr(e, 4)
	if _, alike := symbolNames[e.Name+exponent]; e.Kind == Sym && (alike || strings.ContainsAny(s, "^²")) {
		return p.brackets(s)
	}
	return s
}

// between is what stands between two factors in LaTeX: 2 and 3 side by side would be 23, and 2 and ½ would be 2½.
func between(l, r string) string {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	if digit(r[0]) || digit(l[len(l)-1]) && strings.HasPrefix(r, `\frac`) {
		return ` \cdot `
	}
	return " "
}

// values renders the replacements of an at.
func (p printer) values(e *Expr) string {
	var out []string
	for i := 1; i+1 < len(e.Args); i += 2 {
		out = append(out, p.expr(e.Args[i], 0)+"="+p.expr(e.Args[i+1], 0))
	}
	return strings.Join(out, ", ")
}

// call renders an operator and says how tightly its text binds.
func (p printer) call(e *Expr) (text string, own int) {
	const loose, product, postfix, atom = 0, 1, 3, 4
	a := func(i int) string { return p.expr(e.Args[i], 0) }
	// Each argument is rendered once: what is nested would double at each level.
	all := func() string {
		var args []string
		for i := range e.Args {
			args = append(args, a(i))
		}
		return strings.Join(args, ", ")
	}
	if p.latex {
		switch e.Name {
		case "comm":
			return `\left[` + a(0) + ", " + a(1) + `\right]`, atom
		case "anti":
			return `\left\{` + a(0) + ", " + a(1) + `\right\}`, atom
		case "ddt":
			return `\frac{\mathrm{d}}{\mathrm{d}t}\left(` + a(0) + `\right)`, loose
		case "kron":
			return p.expr(e.Args[0], 2) + `\otimes ` + p.expr(e.Args[1], 2), loose
		case "E":
			return `\mathbb{E}\left[` + a(0) + `\right]`, atom
		case "grad":
			return `\nabla_{` + a(1) + `}\left(` + a(0) + `\right)`, loose
		case "diff":
			return `\frac{\partial}{\partial ` + a(1) + `}\left(` + a(0) + `\right)`, loose
		case "inv":
			return p.base(e.Args[0], "-1") + "^{-1}", postfix
		case "at":
			return `\left.` + p.expr(e.Args[0], 3) + `\right|_{` + p.values(e) + "}", loose
		case "root":
			return `\sqrt{` + a(0) + "}", atom
		case "I":
			return "I_{" + a(0) + "}", atom
		case "zero":
			return "0_{" + a(0) + `\times ` + a(1) + "}", atom
		case "size":
			if e.Args[0].Kind == Mul {
				return a(0), product
			}
			return a(0), atom
		}
		return `\operatorname{` + e.Name + `}\left(` + all() + `\right)`, atom
	}
	switch e.Name {
	case "comm":
		return "[" + a(0) + ", " + a(1) + "]", atom
	case "anti":
		return "{" + a(0) + ", " + a(1) + "}", atom
	case "ddt":
		return "d/dt(" + a(0) + ")", loose
	case "kron":
		return p.expr(e.Args[0], 2) + " ⊗ " + p.expr(e.Args[1], 2), loose
	case "E":
		return "E[" + a(0) + "]", atom
	case "grad", "diff":
		return "∂/∂" + a(1) + " (" + a(0) + ")", loose
	case "sg":
		return "StopGrad(" + a(0) + ")", atom
	case "inv":
		return p.base(e.Args[0], "-1") + "⁻¹", postfix
	case "at":
		return "(" + a(0) + ")|[" + p.values(e) + "]", atom
	}
	return e.Name + "(" + all() + ")", atom
}

// symbolNames are the paper's letters for the names of the language, Unicode then LaTeX.
var symbolNames = map[string][2]string{
	"alpha": {"α", `\alpha_p`}, "eta": {"η", `\eta`}, "beta": {"β", `\beta`}, "sigma2": {"σ²", `\sigma^2`},
	"tau": {"τ", `\tau`}, "lambda": {"λ", `\lambda`}, "kappa": {"κ", `\kappa`}, "gamma": {"γ", `\gamma`},
	"rho": {"ρ", `\rho`}, "epsilon": {"ε", `\epsilon`}, "delta": {"δ", `\delta`},
	"Wp": {"Wₚ", "W_p"}, "Wa": {"Wₐ", "W_a"}, "Xp": {"X′", "X'"}, "xbar": {"x̄", `\bar{x}`},
	"sigma": {"σ", `\sigma`}, "wa": {"wₐ", "w_a"},
}

// running are the letters that statements have for time, for steps, and for the rows and columns of a matrix. In LaTeX a
// symbol of such a name is set in another type.
const running = "tkij"

func (p printer) symbol(name string) string {
	if p.latex && len(name) == 1 && strings.Contains(running, name) {
		return `\mathtt{` + name + "}"
	}
	base, digits := name, ""
	if i := strings.IndexAny(name, "0123456789"); i > 0 && symbolNames[name] == [2]string{} {
		base, digits = name[:i], name[i:]
	}
	n, ok := symbolNames[base]
	switch {
	case p.latex && base == "I":
		// I with a subscript is the identity of that size.
		return `\mathtt{I}_{` + strings.ReplaceAll(digits, "_", `\_`) + "}"
	case p.latex && ok && digits != "":
		return "{" + n[1] + "}_{" + strings.ReplaceAll(digits, "_", `\_`) + "}"
	case p.latex && digits != "":
		return italic(base) + "_{" + strings.ReplaceAll(digits, "_", `\_`) + "}"
	case p.latex && ok:
		return n[1]
	case p.latex:
		return italic(name)
	case ok:
		return n[0] + digits
	}
	return name
}

// italic is a name in LaTeX, one word of several letters and no product of them.
func italic(name string) string {
	if len(name) == 1 {
		return name
	}
	return `\mathit{` + strings.ReplaceAll(name, "_", `\_`) + "}"
}

func (p printer) stmt(s *Stmt) string {
	x := func(e *Expr) string { return p.expr(e, 0) }
	pick := func(latex, plain string) string {
		if p.latex {
			return latex
		}
		return plain
	}
	words := func(w string) string { return pick(`\ \text{`+w+`}\ `, " "+w+" ") }
	exp := func(rate *Expr, sign string) string {
		text := p.expr(rate, 1)
		if minus := pick("-", "−"); sign != "" && strings.HasPrefix(text, minus) {
			text = p.brackets(text)
		}
		return pick(`\exp\left(`+sign+text+` t\right)`, "exp("+sign+text+"·t)")
	}
	now := "t"
	if s.Course == OverSteps {
		now = "k"
		exp = func(factor *Expr, _ string) string { return p.base(factor, "k") + pick("^{k}", "^k") }
	}
	last := func(w string) string { return pick(`\ \text{`+w+`}`, " "+w) }
	over := ""
	if s.Course == OverSteps {
		over = last("over steps")
	}
	at := func(e *Expr, t string) string { return pick(`\left(`+x(e)+`\right)(`+t+")", "("+x(e)+")("+t+")") }
	switch s.Kind {
	case Equality:
		return x(s.L) + " = " + x(s.R)
	case Inequality:
		return x(s.L) + " " + map[string]string{">=": pick(`\ge`, "≥"), "<=": pick(`\le`, "≤"), ">": ">", "<": "<"}[s.Rel] + " " + x(s.R)
	case Definite:
		return x(s.L) + " " + map[bool]string{true: pick(`\succ`, "≻"), false: pick(`\succeq`, "⪰")}[s.Strict] + " 0"
	case Inequation:
		return x(s.L) + pick(` \ne `, " ≠ ") + x(s.R)
	case Regular:
		return x(s.L) + last("invertible")
	case Diagonality:
		return x(s.L) + last("diagonal")
	case Bounded:
		return x(s.Lo) + pick(` \le \left(`, " ≤ (") + x(s.L) + pick(`\right)_{ij} \le `, ")ᵢⱼ ≤ ") + x(s.Hi)
	case Counted:
		v, left, lo, hi, right := x(s.R), "(", pick(`-\infty`, "−∞"), pick(`\infty`, "∞"), ")"
		if s.Lo != nil {
			lo = x(s.Lo)
		}
		if s.Hi != nil {
			hi = x(s.Hi)
		}
		if s.LoIn {
			left = "["
		}
		if s.HiIn {
			right = "]"
		}
		such := x(s.L) + " = 0"
		if s.Word != "" {
			e := p.expr(s.L, 4)
			such += pick(`,\ \partial_{`+v+`} `, ", ∂") + pick(e, e+"/∂"+v) + map[string]string{"rising": " > 0", "falling": " < 0"}[s.Word]
		}
		return pick(`\#\{`, "#{") + v + pick(` \in `, " ∈ ") + left + lo + ", " + hi + right + " : " + such + pick(`\}`, "}") + " = " + fmt.Sprint(s.N)
	case Always:
		return pick(`\text{always}\ `, "always ") + p.stmt(s.Of) + over
	case Absurd:
		return pick(`\bot`, "⊥")
	case Evolves:
		return at(s.L, now) + " = " + exp(s.Rate, "") + pick(" ", "·") + at(s.L, "0")
	case Decays:
		if s.Norm {
			bar := pick(`\|`, "‖")
			return bar + at(s.L, now) + bar + pick(`_F \le `, " ≤ ") + exp(s.Rate, pick("-", "−")) + pick(" ", "·") + bar + at(s.L, "0") + bar + pick("_F", "")
		}
		return at(s.L, now) + pick(` \le `, " ≤ ") + exp(s.Rate, pick("-", "−")) + pick(" ", "·") + at(s.L, "0")
	case Vanishes:
		return x(s.L) + pick(` \to 0`, " → 0") + words("as") + now + pick(` \to \infty`, " → ∞")
	case Stays:
		all := x(s.L)
		for _, e := range s.More {
			all += ", " + x(e)
		}
		return all + last(map[bool]string{false: "stays ", true: "stay "}[s.More != nil]+s.Word) + over
	case Congruence:
		phi := pick(`\Phi(`, "Φ(") + now + ")"
		return at(s.L, now) + " = " + phi + pick(" ", "·") + at(s.L, "0") + pick(`\, `, "·") + phi + pick(`^{\top}`, "ᵀ")
	case Tends:
		return x(s.L) + pick(` \to `, " → ") + x(s.R) + words("from") + x(s.Lo) + " < " + x(s.L) + " < " + x(s.Hi) + over
	case Stationary:
		var as []string
		for _, q := range s.Assign {
			as = append(as, p.symbol(q.Name)+" = "+x(q.RHS))
		}
		return strings.Join(as, ", ") + words("is stationary")
	case Assumption:
		var as []string
		for _, q := range s.Assign {
			as = append(as, x(q.RHS.Args[0])+" = "+x(q.RHS.Args[1]))
		}
		return strings.Join(as, ", ") + words("along the flow")
	}
	return s.Text
}

func super(n int) string {
	digits := map[rune]rune{'-': '⁻', '0': '⁰', '1': '¹', '2': '²', '3': '³', '4': '⁴', '5': '⁵', '6': '⁶', '7': '⁷', '8': '⁸', '9': '⁹'}
	var b strings.Builder
	for _, r := range fmt.Sprint(n) {
		b.WriteRune(digits[r])
	}
	return b.String()
}
