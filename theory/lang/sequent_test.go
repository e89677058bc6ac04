package lang

import (
	"strings"
	"testing"

	"stopgrad/theory/kernel"
)

// TestLinesAreTheSequent: the lines of every claim are those of its printed sequent, in order; hypotheses carry the names
// that scripts use; and each line can be set as LaTeX.
func TestLinesAreTheSequent(t *testing.T) {
	for id, p := range parts(t) {
		if p.Fault != nil {
			if text, written := Statement(p); !written || text != UnicodeStmt(p.Stmt) {
				t.Errorf("%s has no meaning and is shown as %s", id, text)
			}
			continue
		}
		r, err := Elaborate(p)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		text, err := r.Print(false)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		lines, err := r.Lines(false)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		var words, stated []string
		names := map[string]bool{}
		for _, l := range lines {
			if l.Word == Times {
				words = append(words, l.Text)
			} else {
				words = append(words, l.Word, l.Text)
			}
			if l.Word == Stated {
				stated = append(stated, l.Text)
			}
			if l.Name != "" {
				names[l.Name] = true
			}
			if s, err := l.LaTeX(); err != nil || s == "" {
				t.Errorf("%s: %s %s: %v", id, l.Word, l.Text, err)
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(words, " ")), " "), strings.Join(strings.Fields(text), " "); got != want {
			t.Errorf("%s: the lines are\n%s\nand the sequent\n%s", id, got, want)
		}
		for _, a := range p.Assumes {
			if !names[a.Name] {
				t.Errorf("%s: no line is called %s", id, a.Name)
			}
		}
		if got, written := Statement(p); written || got != strings.Join(stated, " and ") {
			t.Errorf("%s states %s, and is shown as %s", id, strings.Join(stated, " and "), got)
		}
	}
}

// TestLinesHaveTheirOwnNames: hypotheses that say the same, declared or assumed, here or with another mark, keep their names.
func TestLinesHaveTheirOwnNames(t *testing.T) {
	text := `claim c
  scalar x > 0
  scalar y
  flow
    x' = -x
    y' = -y
  says s: always x + y > 0
    assume x: x > 0
    assume start b: x > 0
    assume c: y > 0
    assume d: y > 0
  says a: assumption x == 1, y == x
    consequence y == 1
    assume x: x > 0
`
	want := map[string]string{
		"s": "start :x > 0; always x:x > 0; start b:x > 0; always c:y > 0; always d:y > 0",
		"a": "start :x > 0; always x:x > 0; always h1:x == 1; always h2:y == x",
	}
	f, err := Parse(Source{Name: "c", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Claims[0].Parts {
		r, err := Elaborate(p)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := r.Lines(false)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range lines {
			if _, ok := kernel.MarkNamed(l.Word); ok {
				got = append(got, l.Word+" "+l.Name+":"+l.Text)
			}
		}
		if s := strings.Join(got, "; "); s != want[p.Name] {
			t.Errorf("%s: %s", p.Name, s)
		}
	}
}

func TestLinesInLaTeX(t *testing.T) {
	for _, c := range []struct {
		line Line
		want string
	}{
		{Line{Word: "size", Text: "n1, n2"}, `n_{1}, n_{2} \in \mathbb{N}`},
		{Line{Word: "param", Text: "alpha, eta"}, `\alpha_p, \eta \in \mathbb{R}`},
		{Line{Word: "state", Text: "W, Wa : n2 x n1*n2"}, `W, W_a \in \mathbb{R}^{n_{2} \times n_{1} n_{2}}`},
		{Line{Word: "flow", Text: "W' = -eta*W"}, `\frac{\mathrm{d}}{\mathrm{d}t}{W} = -\eta W`},
		{Line{Word: "map", Text: "W+ = W - eta*G"}, `W \gets W - \eta G`},
		{Line{Word: "always", Text: "tau^2 - 4*eta > 0"}, `\tau^{2} - 4 \eta > 0`},
		{Line{Word: Stated, Text: "|W| decays at rate eta"}, `\|\left(W\right)(t)\|_F \le \exp\left(-\eta t\right) \|\left(W\right)(0)\|_F`},
		{Line{Word: Stated, Text: "|W| decays at rate -eta"}, `\|\left(W\right)(t)\|_F \le \exp\left(-\left(-\eta\right) t\right) \|\left(W\right)(0)\|_F`},
		{Line{Word: Stated, Text: "x evolves at rate e*t"}, `\left(x\right)(t) = \exp\left(e \mathtt{t} t\right) \left(x\right)(0)`},
		{Line{Word: Stated, Text: "x evolves by factor k"}, `\left(x\right)(k) = \mathtt{k}^{k} \left(x\right)(0)`},
		{Line{Word: Stated, Text: "A within [i, j]"}, `\mathtt{i} \le \left(A\right)_{ij} \le \mathtt{j}`},
		{Line{Word: Stated, Text: "L moves by congruence"}, `\left(L\right)(t) = \Phi(t) \left(L\right)(0)\, \Phi(t)^{\top}`},
		{Line{Word: Stated, Text: "L moves by congruence over steps"}, `\left(L\right)(k) = \Phi(k) \left(L\right)(0)\, \Phi(k)^{\top}`},
		{Line{Word: Stated, Text: "x tends to 0 from -1 < x < 1 over steps"}, `x \to 0\ \text{from}\ -1 < x < 1\ \text{over steps}`},
		{Line{Word: Stated, Text: "size(n*m)^2 == tr(I(n*m))^2"}, `\left(n m\right)^{2} = \operatorname{tr}\left(I_{n m}\right)^{2}`},
		{Line{Word: Stated, Text: "inv(sigma2)*sigma2^T == I"}, `\left(\sigma^2\right)^{-1} \left(\sigma^2\right)^{\top} = I`},
		{Line{Word: Stated, Text: "I1*c == I(1)*c"}, `\mathtt{I}_{1} c = I_{1} c`},
		{Line{Word: Stated, Text: "inv(Xp)*Xp^T == sigma2^2*I"}, `X'^{-1} X'^{\top} = \left(\sigma^2\right)^{2} I`},
		{Line{Word: Where, Text: "r = root(tau)"}, `r = \sqrt{\tau}`},
	} {
		if got, err := c.line.LaTeX(); err != nil || got != c.want {
			t.Errorf("%s %s: %s, %v; want %s", c.line.Word, c.line.Text, got, err, c.want)
		}
	}
	for _, l := range []Line{{Word: Stated, Text: "x ="}, {Word: "flow", Text: "W' ="}, {Word: Where, Text: "r"}, {Word: "state", Text: "W : n x"}} {
		if got, err := l.LaTeX(); err == nil {
			t.Errorf("%s %s is set as %s", l.Word, l.Text, got)
		}
	}
}
