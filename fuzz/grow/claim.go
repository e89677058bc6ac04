package grow

import (
	"fmt"
	"slices"
	"strings"
)

// sort is what an expression of a grown claim is.
type sort int

const (
	number sort = iota
	square      // n x n
	column      // n x 1
	wide        // n x m
	sorts
)

// vocabulary are the names that grown claims use; each is declared where it occurs, with what the tape says of it.
var vocabulary = [sorts][]string{
	number: {"x", "y", "p", "q", "u", "r", "k"},
	square: {"A", "S", "V", "P", "M"},
	column: {"c"},
	wide:   {"B"},
}

// theorist writes a small claim file from a tape: vocabulary, dynamics, hypotheses, a statement of any form, and a script
// that a person could have tried. Its first choice is always the simplest, so that a tape that has run out ends the text.
type theorist struct {
	Tape
	used     []string
	known    [sorts][]string // what has been written before: scripts and hypotheses speak of the same things
	inE      bool            // random columns may be used
	under    string          // the definition being written: it uses nothing that is defined later
	timeless bool            // no derivative or step is written
	needs    struct{ flow, step bool }
	form     string
	alone    string // the only name that moves, if any
}

// Claim is a claim file of one claim, of one part "it", written from bytes: the first choice is always the simplest. form
// says of what form its statement is.
func Claim(program []byte) (text, form string) {
	g := &theorist{Tape: Tape{Bytes: program}}
	text = g.claim()
	return text, g.form
}

// fuel bounds the expressions: how deep they nest.
const fuel = 2

func (g *theorist) use(name string) string {
	if !slices.Contains(g.used, name) {
		g.used = append(g.used, name)
	}
	return name
}

// letter is a name of a sort. Names that are defined by expressions are left out of definitions.
func (g *theorist) letter(s sort) string {
	names := vocabulary[s]
	if g.under != "" {
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.Contains("rkM", n) })
	}
	return g.use(names[g.Choose(len(names))])
}

// declared is a name of a sort that is declared and not defined.
func (g *theorist) declared(s sort) string {
	before := g.under
	g.under = "-"
	defer func() { g.under = before }()
	return g.letter(s)
}

// again is something of the sort that was written before, or nothing.
func (g *theorist) again(s sort) string {
	if n := len(g.known[s]); n > 0 {
		return g.known[s][g.Choose(n)]
	}
	return ""
}

// note remembers an expression for later.
func (g *theorist) note(s sort, text string) string {
	if g.under == "" && !g.inE && len(text) < 60 && !slices.Contains(g.known[s], text) {
		g.known[s] = append(g.known[s], text)
	}
	return text
}

func (g *theorist) of(s sort, depth int) string {
	switch s {
	case square:
		return g.matrix(depth)
	case column:
		return g.vector(depth)
	case wide:
		return g.rectangle(depth)
	}
	return g.scalar(depth)
}

// operator applies something that unfolding removes, to an expression of the sort.
func (g *theorist) operator(s sort, depth int) string {
	switch g.Choose(7) {
	case 1:
		if !g.timeless {
			g.needs.flow = true
			return "ddt(" + g.of(s, depth) + ")"
		}
	case 2:
		if !g.timeless {
			g.needs.step = true
			return "next(" + g.of(s, depth) + ")"
		}
	case 3:
		return "sg(" + g.of(s, depth) + ")"
	case 4:
		return "diff(" + g.of(s, depth) + ", " + g.declared(number) + ")"
	case 5:
		to := sort(g.Choose(int(sorts)))
		return "at(" + g.of(s, depth) + ", " + g.declared(to) + ", " + g.of(to, depth) + ")"
	}
	if g.inE {
		return "sg(" + g.of(s, depth) + ")"
	}
	g.inE = true
	defer func() { g.inE = false }()
	switch s {
	case square:
		return "E(" + g.random() + "*" + g.random() + "^T)"
	case number:
		return "E(tr(" + g.random() + "*" + g.random() + "^T*" + g.matrix(0) + "))"
	}
	return "E(" + g.of(s, depth) + ")"
}

// random is a random column, or a matrix times one.
func (g *theorist) random() string {
	v := g.use([]string{"v", "w", "e"}[g.Choose(3)])
	if g.Choose(3) == 1 {
		return "(" + g.matrix(0) + "*" + v + ")"
	}
	return v
}

func (g *theorist) scalar(depth int) string {
	if depth <= 0 {
		switch g.Choose(8) {
		case 6:
			return []string{"1", "0", "2", "1/2", "3"}[g.Choose(5)]
		case 7:
			return "size(n)"
		}
		return g.letter(number)
	}
	s := func() string { return g.scalar(depth - 1) }
	switch g.Choose(16) {
	case 1:
		return "(" + s() + " + " + s() + ")"
	case 2:
		return "(" + s() + " - " + s() + ")"
	case 3, 4:
		return s() + "*" + s()
	case 5:
		return "(-" + s() + ")"
	case 6:
		return "(" + s() + ")^" + []string{"2", "3", "0", "4"}[g.Choose(4)]
	case 7:
		return "(" + s() + "/" + s() + ")"
	case 8:
		return "tr(" + g.matrix(depth-1) + ")"
	case 9:
		o := sort(1 + g.Choose(int(sorts)-1))
		t := g.of(o, depth-1)
		return "tr((" + t + ")^T*(" + t + "))"
	case 10:
		return "root(" + s() + ")"
	case 11, 12:
		return g.operator(number, depth-1)
	case 13:
		return []string{"tr(kron(" + g.matrix(0) + ", " + g.matrix(0) + "))",
			"tr(vec(" + g.matrix(0) + ")^T*kron(" + g.matrix(0) + ", " + g.matrix(0) + ")*vec(" + g.matrix(0) + "))"}[g.Choose(2)]
	case 14, 15:
		if t := g.again(number); t != "" && !g.inE && g.under == "" {
			return "(" + t + ")"
		}
	}
	return g.scalar(0)
}

func (g *theorist) matrix(depth int) string {
	if depth <= 0 {
		if g.Choose(8) == 7 {
			return []string{"I(n)", "zero(n, n)"}[g.Choose(2)]
		}
		return g.letter(square)
	}
	m := func() string { return g.matrix(depth - 1) }
	switch g.Choose(18) {
	case 1:
		return "(" + m() + " + " + m() + ")"
	case 2:
		return "(" + m() + " - " + m() + ")"
	case 3, 4:
		return m() + "*" + m()
	case 5:
		return "(" + m() + ")^T"
	case 6, 7:
		return g.scalar(depth-1) + "*" + m()
	case 8:
		return []string{"sym(", "skew("}[g.Choose(2)] + m() + ")"
	case 9:
		return "[" + m() + ", " + m() + "]"
	case 10:
		b := g.rectangle(depth - 1)
		return "(" + b + ")*(" + b + ")^T"
	case 11:
		return g.vector(depth-1) + "*(" + g.vector(depth-1) + ")^T"
	case 12:
		return []string{"grad(", "gradsym(", "gradskew("}[g.Choose(3)] + g.scalar(depth) + ", " + g.declared(square) + ")"
	case 13:
		return "inv(" + g.use("V") + ")"
	case 14, 15:
		return g.operator(square, depth-1)
	case 16, 17:
		if t := g.again(square); t != "" && !g.inE && g.under == "" {
			return "(" + t + ")"
		}
	}
	return g.matrix(0)
}

func (g *theorist) vector(depth int) string {
	if depth > 0 {
		switch g.Choose(5) {
		case 1:
			return g.matrix(depth-1) + "*" + g.vector(depth-1)
		case 2:
			return "(" + g.vector(depth-1) + " - " + g.vector(depth-1) + ")"
		case 3:
			return "grad(" + g.scalar(depth-1) + ", " + g.use("c") + ")"
		case 4:
			return g.operator(column, depth-1)
		}
	}
	return g.letter(column)
}

func (g *theorist) rectangle(depth int) string {
	if depth > 0 {
		switch g.Choose(4) {
		case 1:
			return g.matrix(depth-1) + "*" + g.rectangle(depth-1)
		case 2:
			return "(" + g.rectangle(depth-1) + " + " + g.rectangle(depth-1) + ")"
		case 3:
			return g.operator(wide, depth-1)
		}
	}
	return g.letter(wide)
}

// rewrite is the expression in other words, equal to it.
func (g *theorist) rewrite(s sort, t string) string {
	switch g.Choose(5) {
	case 1:
		return "2*(" + t + ") - " + t
	case 2:
		y := g.of(s, 1)
		return "(" + t + " + " + y + ") - " + y
	case 3:
		return "((" + t + ")^T)^T"
	case 4: // mostly another thing
		return g.of(s, 1)
	}
	return t
}

// definite is a scalar that is nonnegative, or a matrix that is semidefinite, as far as shapes show.
func (g *theorist) definite(s sort) string {
	if s == square {
		a := g.matrix(1)
		switch g.Choose(3) {
		case 1:
			return a + "*" + g.use("P") + "*(" + a + ")^T"
		case 2:
			return "(" + g.scalar(1) + ")^2*" + g.use("P")
		}
		return "(" + a + ")*(" + a + ")^T"
	}
	switch g.Choose(4) {
	case 1:
		return "(" + g.scalar(1) + ")^2*" + g.letter(number)
	case 2:
		return g.letter(number) + " + " + g.letter(number)
	case 3:
		o := sort(1 + g.Choose(int(sorts)-1))
		t := g.of(o, 1)
		return "tr((" + t + ")^T*(" + t + "))"
	}
	return "(" + g.scalar(1) + ")^2"
}

// state is a statement about states, and the scripts that might prove it.
func (g *theorist) state() (text string, scripts []string) {
	switch form := g.Choose(8); form {
	case 1, 2:
		l := g.note(number, g.definite(number))
		if g.Choose(3) == 2 {
			l = g.note(number, g.scalar(fuel))
		}
		rel := []string{">=", ">", "!=", "<="}[g.Choose(4)]
		g.form = "order"
		return l + " " + rel + " " + []string{"0", "1", g.letter(number)}[g.Choose(3)],
			[]string{"manifest " + l, "manifest " + g.scalar(1), "sturm " + g.declared(number)}
	case 3, 4:
		l := g.note(square, g.definite(square))
		g.form = "psd"
		return l + []string{" psd", " pd"}[g.Choose(2)], []string{"manifest " + l, "manifest " + g.matrix(1)}
	case 5:
		g.form = "invertible"
		return g.note(square, g.matrix(1)) + []string{" invertible", " diagonal"}[g.Choose(2)], nil
	case 6:
		if g.Choose(3) == 2 {
			g.form = "absurd"
			return "absurd", nil
		}
	}
	g.form = "equality"
	s := sort(g.Choose(int(sorts)))
	l := g.note(s, g.of(s, fuel))
	r := g.note(s, g.rewrite(s, l))
	if g.Choose(6) == 5 {
		r = "0"
	}
	return l + " == " + r, []string{"expand", "modulo [h]", "modulo [h]*" + g.scalar(1), "modulo " + g.scalar(1) + "*[h] - [h]"}
}

// statement is a statement of any form with its scripts. What would make it true is remembered for the dynamics.
func (g *theorist) statement() (text string, scripts []string) {
	form := g.Choose(13)
	if form <= 4 {
		text, scripts = g.state()
		if form == 4 {
			g.needs.flow = true
			g.form = "always " + g.form
			text = "always " + text
		}
		return text, scripts
	}
	over := g.Choose(3) == 2
	course := " along the flow"
	derivative := "ddt"
	if over {
		course, derivative, g.needs.step = " over steps", "next", true
	} else {
		g.needs.flow = true
	}
	by := map[bool]string{true: "by factor ", false: "at rate "}[over]
	s := sort(g.Choose(2))
	l := g.note(s, g.of(s, g.Choose(2)))
	c := g.scalar(g.Choose(2))
	switch form {
	case 5:
		g.form = "evolves"
		g.note(s, c+"*"+l)
		return fmt.Sprintf("%s evolves %s%s", l, by, c),
			[]string{fmt.Sprintf("fact f: %s(%s) == %s*%s by expand\nintegrate f", derivative, l, c, l), "integrate h"}
	case 6:
		g.form = "decays"
		g.note(s, "(-"+c+"*"+l+")")
		g.note(s, c+"*"+l)
		if s == number && g.Choose(2) == 0 {
			return fmt.Sprintf("%s decays %s%s", l, by, c), []string{fmt.Sprintf("fact f: ddt(%s) <= -%s*%s by manifest %s\ngronwall f", l, c, l, g.definite(number))}
		}
		return fmt.Sprintf("|%s| decays %s%s", l, by, c),
			[]string{fmt.Sprintf("fact f: ddt(tr((%s)^T*(%s))) <= -2*%s*tr((%s)^T*(%s)) by manifest %s\ngronwall f", l, l, c, l, l, g.definite(number))}
	case 7:
		g.form = "vanishes"
		g.note(s, "(-"+c+"*"+l+")")
		return l + " vanishes" + course, []string{fmt.Sprintf("fact f: |%s| decays %s%s by gronwall g\ngronwall f", l, by, c), fmt.Sprintf("fact f: %s evolves %s%s by integrate f\ngronwall f", l, by, c)}
	case 8:
		g.form = "congruence"
		l, a := g.note(square, g.matrix(g.Choose(2))), g.matrix(1)
		g.note(square, a+"*"+l+" + "+l+"*("+a+")^T")
		return l + " moves by congruence" + course, []string{"congruence " + a}
	case 9:
		g.form = "tends"
		g.alone = []string{"x", "y"}[g.Choose(2)]
		x := g.use(g.alone)
		r := []string{"0", "1", g.scalar(0)}[g.Choose(3)]
		// A limit between the ends takes a search, one at an end a script.
		lo, hi := []string{"0", "-1", g.scalar(0)}[g.Choose(3)], []string{r, "1", "2", g.scalar(0)}[g.Choose(4)]
		toward := "(" + r + " - " + x + ")"
		g.note(number, toward)
		return fmt.Sprintf("%s tends to %s from %s < %s < %s%s", x, r, lo, x, hi, course),
			[]string{fmt.Sprintf("fact f: ddt(%s) > 0 by manifest %s\nmonotone f", x, []string{toward, g.scalar(1)}[g.Choose(2)])}
	case 10:
		g.form = "stationary"
		x := g.declared(s)
		return x + " = " + g.of(s, 1) + course, []string{"expand"}
	case 11:
		g.form = "assumption"
		g.needs.flow = true
		return "assumption " + l + " == " + g.rewrite(s, l), []string{"expand", "modulo [h1]", "modulo [d1]"}
	}
	word := []string{"zero", "nonnegative", "positive", "psd"}[g.Choose(4)]
	g.form = "stays " + word
	if word == "psd" {
		s, l = square, g.note(square, g.matrix(g.Choose(2)))
	} else if word != "zero" && s != number {
		s, l = number, g.note(number, g.scalar(g.Choose(2)))
	}
	g.note(s, c+"*"+l)
	scripts = []string{"barrier [self]*" + c, "barrier " + c + "*[self] + " + g.definite(number), "barrier -" + c + "*[self]", "congruence " + g.matrix(1)}
	if g.Choose(4) == 3 {
		return l + ", " + g.of(s, 1) + " stay " + word + course, scripts
	}
	return l + " stays " + word + course, scripts
}

// declaration declares a name; it returns the lines of the flow and the map that it adds.
func (g *theorist) declaration(name string) (text, flow, step string) {
	s := number
	for k, names := range vocabulary {
		if slices.Contains(names, name) {
			s = sort(k)
		}
	}
	before := g.under
	g.under = name
	defer func() { g.under = before }()
	switch name {
	case "r":
		g.timeless = true
		defer func() { g.timeless = false }()
		return "root r" + []string{"", " > 0"}[g.Choose(2)] + " = " + g.scalar(1), "", ""
	case "k":
		return "let k = " + g.scalar(1), "", ""
	case "M":
		return "let M = " + g.matrix(1), "", ""
	case "u":
		return "input u" + []string{"", " > 0", " >= 0"}[g.Choose(3)], "", ""
	case "v", "w", "e":
		return "random " + name + " : n" + []string{"", " centred"}[g.Choose(2)] + "\n  moment " + name + " = " +
			[]string{"I(n)", g.use("P"), "x*I(n)", g.matrix(1)}[g.Choose(4)], "", ""
	}
	switch s {
	case number:
		text = "scalar " + name + []string{"", " > 0", " >= 0", " >= 0, <= 1", " < 1", " != 0"}[g.Choose(6)]
	case column:
		text = "matrix c : n x 1"
	case wide:
		text = "matrix B : n x m"
	default:
		attr := []string{"", " symmetric", " psd", " pd", " skew", " diagonal", " invertible", " isometry"}
		k := g.Choose(len(attr))
		if name == "V" && k != 3 {
			k = 6
		}
		if name == "P" && k < 2 {
			k = 2
		}
		text = "matrix " + name + " : n x n" + attr[k]
	}
	// What was said before is what an equation is likely to have been made for.
	rhs := func() string {
		g.timeless = true
		defer func() { g.timeless = false }()
		if t := g.again(s); t != "" && g.Choose(2) == 0 && !strings.Contains(t, "ddt") && !strings.Contains(t, "next") {
			return t
		}
		return g.of(s, 1)
	}
	if g.alone != "" && g.alone != name {
		return text, "", ""
	}
	if g.needs.flow && (g.Choose(3) != 2 || g.alone != "") {
		flow = "    " + name + "' = " + rhs() + "\n"
	}
	if g.needs.step && (g.Choose(3) != 2 || g.alone != "") {
		step = "    " + name + "+ = " + rhs() + "\n"
	}
	return text, flow, step
}

// claim writes the file.
func (g *theorist) claim() string {
	statement, scripts := g.statement()
	var tail strings.Builder
	if g.form == "stationary" {
		statement = "stationary " + statement
	}
	if g.form == "assumption" {
		tail.WriteString("    consequence " + g.scalar(1) + " == " + g.scalar(1) + "\n")
	}
	script := ""
	if len(scripts) > 0 && g.Choose(5) != 4 {
		script = scripts[g.Choose(len(scripts))]
	}
	hypotheses := g.Choose(3)
	if strings.Contains(script, "[h]") {
		hypotheses = max(hypotheses, 1)
	}
	for i := range hypotheses {
		s := sort(g.Choose(2))
		always := []string{"", "always "}[g.Choose(6)/5]
		l := g.again(s)
		if l == "" || g.Choose(2) == 1 {
			l = g.of(s, 1)
		}
		said := l + " == " + g.of(s, 1)
		switch k := g.Choose(5); {
		case strings.Contains(script, "[h]") && i == 0:
		case k == 1 && s == number:
			said = l + " > " + []string{"0", g.scalar(0)}[g.Choose(2)]
		case k == 2 && s == number:
			said = l + " >= " + []string{"0", g.scalar(0)}[g.Choose(2)]
		case k == 3 && s == number:
			said = l + " != 0"
		case k > 0 && s == square:
			said = l + []string{" psd", " pd", " invertible", " diagonal"}[k-1]
		}
		fmt.Fprintf(&tail, "    assume %s%s: %s\n", always, []string{"h", "g"}[i], said)
	}
	if script != "" {
		tail.WriteString("    proof\n      " + strings.ReplaceAll(script, "\n", "\n      ") + "\n")
	}
	var head, flow, step strings.Builder
	for i := 0; i < len(g.used); i++ { // declarations may use more
		text, f, s := g.declaration(g.used[i])
		head.WriteString("  " + text + "\n")
		flow.WriteString(f)
		step.WriteString(s)
		if i+1 == len(g.used) && (g.needs.flow && flow.Len() == 0 || g.needs.step && step.Len() == 0) && !slices.Contains(g.used, "x") {
			g.use("x")
		}
	}
	text := "claim grown\n  title t\n  printed nowhere\n  size n, m\n" + head.String()
	if flow.Len() > 0 {
		text += "  flow\n" + flow.String()
	}
	if step.Len() > 0 {
		text += "  map\n" + step.String()
	}
	return text + "  says it: " + statement + "\n" + tail.String()
}
