package certificate_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var hostileDir = flag.String("hostile", "", "write the hostile certificates to this folder, to measure verify on them")

// forger writes the items of a certificate and numbers its terms.
type forger struct {
	out   strings.Builder
	terms int
}

func (f *forger) say(format string, args ...any) *forger {
	fmt.Fprintf(&f.out, format+"\n", args...)
	return f
}

// t writes a term and returns its number.
func (f *forger) t(format string, args ...any) int {
	f.say("t "+format, args...)
	f.terms++
	return f.terms - 1
}

func (f *forger) number(v string) int { return f.t("number %s", v) }

// letters declares scalars of a class and returns their terms.
func (f *forger) letters(class string, k int) (out []int) {
	for i := range k {
		f.say("symbol x%d %s", i, class)
		out = append(out, f.t("letter x%d", i))
	}
	return out
}

func (f *forger) text() string { return strings.TrimSuffix(f.out.String(), "\n") }

// boxed writes the hypotheses that each of these lies in [lo, hi], and the context.
func (f *forger) boxed(xs []int, lo, hi string) *forger {
	l, h := f.number(lo), f.number(hi)
	for _, x := range xs {
		f.say("h here ge %d %d\nh here ge %d %d", x, l, h, x)
	}
	return f.say("c state")
}

// cut is an argument that cuts a coordinate of [0, 1] k times, with one rule on each box.
func cut(name, rule string, k int) string {
	var b strings.Builder
	for i := range k {
		fmt.Fprintf(&b, "split %s %s\nleaf %s\n", name, ratio(i+1, k+1), rule)
	}
	return b.String() + "leaf " + rule
}

func ratio(a, b int) string {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	if b /= x; b == 1 {
		return fmt.Sprint(a / x)
	}
	return fmt.Sprintf("%d/%d", a/x, b)
}

// squares is Σ xᵢ²+1, of terms.
func (f *forger) squares(xs []int) int {
	at := f.number("1")
	for _, x := range xs {
		at = f.t("sum %d %d", at, f.t("power 2 %d", x))
	}
	return at
}

// flowing declares states with x0' = 1 − x0, xᵢ' = −xᵢ − Σ xⱼ·x_k over so many products, all starting at 1.
func (f *forger) flowing(n, products int) []int {
	xs := f.letters("state", n)
	minus := f.number("-1")
	for i, x := range xs {
		rhs := f.t("product %d %d", minus, x)
		for k := range products {
			rhs = f.t("sum %d %d", rhs, f.t("product %d %d", f.t("product %d %d", minus, x), f.t("power 2 %d", xs[(i+k+1)%n])))
		}
		f.say("flow %d %d", x, rhs)
	}
	return xs
}

func (f *forger) start(n int, value string) *forger {
	for i := range n {
		f.say("value x%d 1 1 : %s", i, value)
	}
	return f
}

// hostile are small files, each of a kind that asks for as much as its items allow.
var hostile = []struct {
	what, want string // a part of the error, empty if it is established
	text       func() string
}{
	{"region of many boxes by slope", "more than 2000 splits", func() string {
		f := &forger{}
		xs := f.letters("param", 60)
		e := f.squares(xs)
		zero := f.number("0")
		return f.boxed(xs, "0", "1").text() + "\n" + cut("x0", "slope", 8_000) + fmt.Sprintf("\ncertified 0 gt %d %d", e, zero)
	}},
	{"region of many boxes by intervals", "more than 2000 splits", func() string {
		f := &forger{}
		xs := f.letters("param", 200)
		e := f.squares(xs)
		zero := f.number("0")
		return f.boxed(xs, "0", "1").text() + "\n" + cut("x0", "interval", 150_000) + fmt.Sprintf("\ncertified 0 gt %d %d", e, zero)
	}},
	{"region of many roots", "nested deeper than", func() string {
		f := &forger{}
		xs := f.letters("param", 1)
		e := f.number("1")
		for range 200 {
			e = f.t("root %d", f.t("sum %d %d", f.number("2"), f.t("product %d %d", e, xs[0])))
		}
		zero := f.number("0")
		return f.boxed(xs, "0", "1").text() + "\n" + cut("x0", "interval", 150_000) + fmt.Sprintf("\ncertified 0 gt %d %d", e, zero)
	}},
	{"region of many high powers", "an exponent above", func() string {
		f := &forger{}
		xs := f.letters("param", 1)
		e := f.number("1")
		for k := range 200 {
			e = f.t("sum %d %d", e, f.t("power %d %d", 4000+k%96, xs[0]))
		}
		zero := f.number("0")
		return f.boxed(xs, "0", "1").text() + "\n" + cut("x0", "interval", 150_000) + fmt.Sprintf("\ncertified 0 gt %d %d", e, zero)
	}},
	{"region of polynomials by bernstein", "does not follow on the box", func() string {
		f := &forger{}
		xs := f.letters("param", 7)
		e := f.t("power 3 %d", f.squares(xs))
		zero := f.number("0")
		return f.boxed(xs, "0", "1").text() + "\n" + cut("x0", "bernstein", 5_000) + fmt.Sprintf("\ncertified 0 gt %d %d", e, zero)
	}},
	{"region of polynomials by exact", "does not follow on the box", func() string {
		f := &forger{}
		xs := f.letters("param", 5)
		e := f.t("power 4 %d", f.squares(xs))
		zero := f.number("0")
		return f.boxed(xs, "0", "1").text() + "\n" + cut("x0", "exact", 5_000) + fmt.Sprintf("\ncertified 0 gt %d %d", e, zero)
	}},
	{"region of long numbers by exact", "operations in all", func() string {
		f := &forger{}
		xs := f.letters("param", 2)
		e := f.t("power 40 %d", f.squares(xs))
		zero := f.number("0")
		long := strings.Repeat("3", 3_000)
		return f.boxed(xs, "0", "1"+strings.Repeat("0", 3_000)).text() + "\nsplit x0 " + long + "\nleaf exact\nsplit x0 " + long + "1\nleaf exact\nleaf exact" + fmt.Sprintf("\ncertified 0 gt %d %d", e, zero)
	}},
	{"region cut at long numbers", "operations in all", func() string {
		f := &forger{}
		xs := f.letters("param", 1)
		zero := f.number("0")
		e := f.squares(xs)
		f.boxed(xs, "0", "1"+strings.Repeat("0", 15_000))
		for k := range 500 {
			f.say("split x0 %d%s\nleaf interval", 1000+k, strings.Repeat("7", 14_000))
		}
		return f.say("leaf interval\ncertified 0 gt %d %d", e, zero).text()
	}},
	{"regions of many conclusions", "steps of work in all", func() string {
		f := &forger{}
		xs := f.letters("param", 100)
		e := f.squares(xs)
		zero := f.number("0")
		f.boxed(xs, "0", "1")
		return f.text() + "\n" + lines(150_000, fmt.Sprintf("leaf interval\ncertified 0 gt %d %d", e, zero))
	}},
	{"regions of many hypotheses and conclusions", "steps of work in all", func() string {
		f := &forger{}
		xs := f.letters("param", 3)
		e := f.squares(xs)
		zero := f.number("0")
		for k := range 20_000 {
			f.say("h here gt %d %d", xs[0], f.number(fmt.Sprint(-k-1)))
		}
		f.boxed(xs, "0", "1")
		return f.text() + "\n" + lines(100_000, fmt.Sprintf("leaf interval\ncertified 0 gt %d %d", e, zero))
	}},
	{"region of a power of a large matrix", "expressions", func() string {
		f := &forger{}
		f.say("size n\nsymbol A param n n")
		a := f.t("letter A")
		size, hundred := f.t("size n"), f.number("99")
		p := f.t("trace %d", f.t("power 4096 %d", a))
		f.say("h here eq %d %d\nc state\nleaf interval\ncertified 0 gt %d %d", size, hundred, p, hundred)
		return f.text()
	}},
	{"region of inverses of matrices", "does not follow on the box", func() string {
		f := &forger{}
		f.say("size n")
		size, six := f.t("size n"), f.number("6")
		at := f.number("0")
		for i := range 30 {
			f.say("symbol A%d param n n", i)
			at = f.t("sum %d %d", at, f.t("trace %d", f.t("inverse %d", f.t("letter A%d", i))))
		}
		f.say("h here eq %d %d\nc state\nleaf exact\ncertified 0 gt %d %d", size, six, at, six)
		return f.text()
	}},
	{"region of many large matrices", "expressions", func() string {
		f := &forger{}
		f.say("size n")
		size, many := f.t("size n"), f.number("99")
		at := f.number("0")
		for i := range 60 {
			f.say("symbol A%d param n n", i)
			at = f.t("sum %d %d", at, f.t("trace %d", f.t("letter A%d", i)))
		}
		f.say("h here eq %d %d\nc state\nleaf slope\ncertified 0 gt %d %d", size, many, at, many)
		return f.text()
	}},
	{"region with faces of many coordinates", "operations in all", func() string {
		f := &forger{}
		xs := f.letters("param", 15)
		at := f.number("1")
		for _, x := range xs {
			at = f.t("product %d %d", at, f.t("sum %d %d", f.number("1"), x))
		}
		zero := f.number("0")
		return f.boxed(xs, "0", "1").text() + "\n" + cut("x0", "bernstein", 500) + fmt.Sprintf("\ncertified 0 gt %d %d", at, zero)
	}},
	{"motion of many entries and long equations", "operations on intervals in all", func() string { return moving(40, 30, "5", 10, 2_000, 0, "") }},
	{"motion of many steps", "operations on intervals in all", func() string { return moving(1, 1, "100000", 40, 20_000, 0, "") }},
	{"motion that is stiff", "could not enclose the solution", func() string {
		f := &forger{}
		x := f.letters("state", 1)[0]
		f.say("flow %d %d\nc motion", x, f.t("product %d %d", f.number("-1000000"), x))
		f.start(1, "1").say("course 1 20 20000\nfollows 0 always ge %d %d :", x, f.number("3"))
		return f.text()
	}},
	{"motion with many hypotheses", "", func() string { return moving(2, 2, "5", 20, 2_000, 390, "") }},
	{"motion with a hypothesis on the finest pieces", "could not enclose the solution", func() string {
		// (x0 − c)² > −ε is seen on small pieces only.
		f := &forger{}
		xs := f.flowing(2, 2)
		for k := range 60 {
			d := f.t("sum %d %d", xs[0], f.number("-"+ratio(k+1, 61)))
			e := f.t("sum %d %d", f.t("product %d %d", d, f.t("sum %d %d", xs[0], f.number("-"+ratio(k+1, 61)))), f.number("1/100000000"))
			f.say("h always gt %d %d", e, f.number("0"))
		}
		f.say("c motion").start(2, "1").say("course 5 5 4000\nfollows 0 always ge %d %d :", xs[0], f.number("3"))
		return f.text()
	}},
	{"motion with heavy hypotheses at the start", "operations on numbers", func() string {
		f := &forger{}
		xs := f.flowing(2, 1)
		big := f.t("sum %d %d", xs[0], f.number("1/3"))
		for k := range 380 {
			e := f.t("power %d %d", 60+k, f.t("power 60 %d", big))
			f.say("h start gt %d %d", e, f.number("0"))
		}
		f.say("c motion").start(2, "1").say("course 1/2 5 40\nfollows 0 always ge %d %d :", xs[0], f.number("3"))
		return f.text()
	}},
	{"motion with large minors", "", func() string {
		f := &forger{}
		f.say("size n\nsymbol W state n n\nsymbol A param n n")
		w, a := f.t("letter W"), f.t("letter A")
		f.say("flow %d %d", w, f.t("product %d %d", f.number("-1"), w))
		for k := range 40 {
			f.say("h always invertible %d", f.t("sum %d %d", a, f.t("product %d %d", f.number(ratio(1, k+1000)), w)))
		}
		f.say("c motion\ndim n 8\nvalue W 8 8 :%s\nvalue A 8 8 :%s", unit(8), unit(8))
		f.say("course 1/2 10 400\nfollows 0 always psd %d :", f.t("sum %d %d", w, f.t("product %d %d", f.number("-1"), a)))
		return f.text()
	}},
	{"trap of many coordinates", "could not enclose the solution", func() string {
		return moving(24, 20, "1/2", 8, 40, 0, trapped(24, "-9", "9"))
	}},
	{"trap that is seen on small boxes only", "could not enclose the solution", func() string {
		return moving(6, 5, "1/2", 8, 40, 0, trapped(6, "-1", "1"))
	}},
	{"trap with many hypotheses", "could not enclose the solution", func() string {
		return moving(4, 2, "1/2", 8, 40, 200, trapped(4, "-1", "1"))
	}},
	{"counterexample of long numbers", "bits", func() string {
		f := &forger{}
		xs := f.letters("param", 20)
		at := f.number("1")
		for _, x := range xs {
			at = f.t("sum %d %d", f.t("product %d %d", at, x), x)
		}
		at = f.t("power 100 %d", at)
		f.say("c state")
		for i := range 20 {
			f.say("value x%d 1 1 : %d%s/%s", i, 10+i, strings.Repeat("7", 500), "1"+strings.Repeat("0", 600))
		}
		return f.say("refutes 0 eq %d %d :", at, f.number("0")).text()
	}},
	{"counterexample in a tower of roots", "operations on numbers", func() string {
		f := &forger{}
		xs := f.letters("param", 1)
		f.say("root 2\nroot 3,1\nroot 5,1,1,1\nroot 7,1,1,1,1,1,1,1\nroot 11,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\nroot 13,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1")
		f.say("c state\nvalue x0 1 1 : 1%s", strings.Repeat(",1", 63))
		e := f.t("reciprocal %d", f.t("power 400 %d", xs[0]))
		return f.say("refutes 0 gt %d %d :", f.number("0"), f.t("root %d", e)).text()
	}},
	{"counterexample of large matrices", "operations on numbers", func() string {
		f := &forger{}
		f.say("size n\nsymbol A param n n")
		a := f.t("letter A")
		i := f.t("inverse %d", a)
		f.say("c state\ndim n 64\nvalue A 64 64 :%s", hilbert(64))
		return f.say("refutes 0 eq %d %d :", f.t("trace %d", f.t("power 4096 %d", i)), f.number("0")).text()
	}},
}

func unit(n int) string {
	var b strings.Builder
	for i := range n * n {
		b.WriteString(map[bool]string{true: " 1", false: " 0"}[i/n == i%n])
	}
	return b.String()
}

func hilbert(n int) string {
	var b strings.Builder
	for i := range n * n {
		b.WriteString(" " + ratio(1, 1+i/n+i%n))
	}
	return b.String()
}

// moving follows x0, … of [forger.flowing] until end, with so many hypotheses and perhaps a trap.
func moving(n, products int, end string, order, steps int, asked int, trap string) string {
	f := &forger{}
	xs := f.flowing(n, products)
	for i := range asked {
		f.say("h always gt %d %d", f.t("sum %d %d", xs[i%n], f.t("power 2 %d", xs[0])), f.number(fmt.Sprint(-i-1)))
	}
	f.say("c motion").start(n, "1").say("course %s %d %d", end, order, steps)
	if trap != "" {
		return f.say("%s\nfollows 0 vanishes %d :", trap, xs[0]).text()
	}
	return f.say("follows 0 always ge %d %d :", xs[0], f.number("3")).text()
}

// trapped is a box in the entries that move.
func trapped(n int, lo, hi string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "trap %s %s :", lo, hi)
		for j := range n {
			b.WriteString(map[bool]string{true: " 1", false: " 0"}[i == j])
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// lengthy take seconds each, which STOPGRAD_LONG allows.
var lengthy = map[string]bool{"regions of many conclusions": true, "motion of many entries and long equations": true, "motion of many steps": true,
	"motion with large minors": true, "counterexample of large matrices": true}

// TestHostileFilesAreAnswered reads each of them: it is refused for what it asks too much of or does not show, or
// established. With -hostile they and the floods are written there, too.
func TestHostileFilesAreAnswered(t *testing.T) {
	write := func(name string, text []byte) {
		if *hostileDir == "" {
			return
		}
		name = strings.NewReplacer(" ", "-", ",", "").Replace(name)
		if err := os.WriteFile(filepath.Join(*hostileDir, name+".cert"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range floods {
		write("flood "+f.what, sealed(f.text()))
	}
	for _, h := range hostile {
		text := sealed(h.text())
		write(h.what, text)
		t.Run(h.what, func(t *testing.T) {
			if lengthy[h.what] && os.Getenv("STOPGRAD_LONG") == "" {
				t.Skip("takes seconds: STOPGRAD_LONG is not set")
			}
			_, err := readAll(text)
			if established := err == nil; established != (h.want == "") || !established && !strings.Contains(err.Error(), h.want) {
				t.Errorf("want an error with %q: %v", h.want, err)
			}
		})
	}
}
