package certificate_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"stopgrad/theory/kernel/certificate"
)

// sealed is a file with these items and a right digest. Texts may hold several lines.
func sealed(items ...string) []byte {
	return resealed("stopgrad certificate 1\nclaim forged x printed\n" + strings.Join(items, "\n") + "\n")
}

func resealed(body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return []byte(body + "sha256 " + hex.EncodeToString(sum[:]) + "\n")
}

func readAll(text []byte) (*certificate.Certificate, error) {
	return certificate.Read(bytes.NewReader(text))
}

// lines repeats an item, %d being the number of the repetition.
func lines(k int, format string) string {
	var b strings.Builder
	for i := range k {
		if i > 0 {
			b.WriteByte('\n')
		}
		if strings.Contains(format, "%") {
			fmt.Fprintf(&b, format, i)
		} else {
			b.WriteString(format)
		}
	}
	return b.String()
}

// vocabulary is what the attacks below speak of: the terms 0, 1, 2 are these numbers, 3 is x, which moves, 4 is y, which
// does not, 5 a hole h, 6 and 7 are n×n matrices W, which moves, and A, 8 is x', 9 the random column z.
const vocabulary = `size n
symbol x state
symbol y param
symbol h hole
symbol W state n n
symbol A param n n
symbol z random n 1
t number 0
t number 1
t number 2
t letter x
t letter y
t letter h
t letter W
t letter A
t ddt 3
t letter z`

// attacks want a false sequent established, a false counterexample accepted, or a statement to pass for another.
var attacks = []struct{ what, want, text string }{
	// What is false by its normal form, by each rule that has no premise.
	{"1 = 2 by modulo", "is not zero", "c state\np 0 modulo eq 1 2 : :\ngoal 0"},
	{"1 = 2 as a hypothesis that is none", "no hypothesis", "c state\np 0 hyp eq 1 2 : :\ngoal 0"},
	{"0 > 0", "does not have this sign", "c state\np 0 number gt 0 0 : :\ngoal 0"},
	{"a size of 1/2 and more is no size", "of a size this rule says", "c state\np 0 size gt 4 0 : :\ngoal 0"},
	// Hypotheses of one context are not those of another.
	{"a hypothesis of an earlier context", "no hypothesis", "h here eq 1 2\nc state\nc state\np 1 hyp eq 1 2 : :\ngoal 0"},
	{"a premise of another context", "another context", "h here eq 1 2\nc state\nc state\np 0 hyp eq 1 2 : :\n" +
		"t sum 1 5\np 1 weaken eq 1 2 : 0 :\ngoal 1"},
	{"a theorem of more hypotheses made thin", "assumes more", "h here eq 1 2\nc state\nc state\np 0 hyp eq 1 2 : :\np 1 thin eq 1 2 : 0 :\ngoal 1"},
	{"an absurdity carried out of its context", "another context", "h here absurd\nc state\nc state\np 0 hyp absurd : :\np 1 explode eq 1 2 : 0 :\ngoal 1"},
	{"a hypothesis after its context", "without a context", "c state\np 0 modulo eq 1 1 : :\nh here eq 1 2\ngoal 0"},
	{"parts of two contexts as one statement", "different contexts", "h here absurd\nc state\nc state\np 0 hyp absurd : :\np 0 explode eq 1 2 : 0 :\n" +
		"p 1 modulo eq 1 1 : :\ngoal 2\ngoal 1"},
	// Marks.
	{"a hypothesis at a state in a motion", "no hypothesis marked here", "flow 3 0\nh here eq 1 2\nc motion"},
	{"a hypothesis at time 0 in a state", "no hypothesis marked start", "h start eq 1 2\nc state"},
	{"a constant that moves", "marked const moves", "flow 3 1\nh const gt 3 0\nc motion"},
	{"a hypothesis at time 0 taken all along", "not known here", "flow 3 1\nh start gt 3 0\nc motion\nh here gt 3 0\nc state\np 1 hyp gt 3 0 : :\n" +
		"p 0 lift always gt 3 0 : 0 :\ngoal 1"},
	{"an always hypothesis", "marked state formula", "flow 3 0\nh always always gt 3 0\nc motion\nh always evolves 3 0\nc motion\ngoal 0"},
	{"always always", "there is no form", "c state\np 0 modulo always always eq 1 1 : :"},
	// Dynamics.
	{"a motion without equations", "without its equations", "c motion"},
	{"an orbit by the flow", "without its equations", "flow 3 0\nc orbit"},
	{"an equation after the context", "frozen", "c state\nflow 3 0"},
	{"a moment after the context", "frozen", "t transpose 9\nt product 9 10\nc state\nmoment 9 9 11"},
	{"two equations", "two equations", "flow 3 0\nflow 3 1"},
	{"an equation of a constant", "declared state variable", "flow 4 0"},
	{"an equation that mentions a hole", "mentions a hole", "flow 3 5"},
	{"an equation of another shape", "its equation", "flow 3 7"},
	{"x' of a variable without equation", "no equation in the flow", "c state\np 0 modulo eq 8 0 : :"},
	{"an equation that needs itself", "refers to itself", "t ddt 3\nflow 3 8\nc state\np 0 modulo eq 8 0 : :"},
	{"two moments", "declared twice", "moment 9 9 7\nmoment 9 9 7"},
	{"a moment of constants", "declared random columns", "moment 7 7 7"},
	// Classes.
	{"a random column outside E", "outside E", "c state\np 0 modulo eq 9 9 : :\ngoal 0"},
	{"E without its moment", "not declared", "t transpose 9\nt product 9 10\nt expect 11\nc state\np 0 modulo eq 12 12 : :"},
	{"a hole over time", "a hole has no values", "flow 3 0\nc motion\nc state\np 1 modulo eq 5 5 : :\np 0 lift always eq 5 5 : 0 :"},
	{"a hypothesis about a hole over time", "mentions a hole", "flow 3 0\nh always eq 5 5\nc motion"},
	{"a symbol for a hole", "no hole of its own", "h here eq 1 2\nc state\np 0 hyp eq 1 2 : :\np 0 modulo eq 4 0 : 0 : 4 4"},
	{"a hole under an operator", "stands under", "flow 3 0\nt product 3 5\nt ddt 10\nh here eq 3 0\nc state\np 0 hyp eq 3 0 : :\np 0 modulo eq 1 2 : 0 : 11 5"},
	{"a combination without its hypothesis", "contains no hypothesis", "t number -1\nh here eq 4 0\nc state\np 0 hyp eq 4 0 : :\np 0 modulo eq 1 2 : 0 : 10 5"},
	// Terms without a value.
	{"1/0 = 1/0", "needed and not established", "t reciprocal 0\nc state\np 0 modulo eq 10 10 : :\ngoal 0"},
	{"y/y = 1", "needed and not established", "t reciprocal 4\nt product 4 10\nc state\np 0 modulo eq 11 1 : :\ngoal 0"},
	{"root(-1)^2 = -1", "needed and not established", "t number -1\nt root 10\nt power 2 11\nc state\np 0 modulo eq 12 10 : :\ngoal 0"},
	{"A·inv(A) = I", "needed and not established", "t inverse 7\nt product 7 10\nt identity n\nc state\np 0 inverse eq 11 12 : :\ngoal 0"},
	{"y − y under a divisor", "needed and not established", "t number -1\nt product 10 4\nt sum 4 11\nt reciprocal 12\nc state\np 0 modulo eq 13 13 : :\ngoal 0"},
	{"the square root is not its letter", "is not zero", "t power 2 4\nt root 10\nc state\np 0 power ge 10 0 : :\np 0 modulo eq 11 4 : :\ngoal 1"},
	// Shapes and names.
	{"W + 1", "cannot be added", "t sum 6 1"},
	{"the trace of a column", "square matrix", "t trace 9"},
	{"a size that is not declared", "not declared", "t identity m"},
	{"a dimension with an empty leg", "not declared", "t identity n*"},
	{"a symbol twice", "declared twice", "symbol x param"},
	{"a size called as a symbol", "declared twice", "size x"},
	{"a symbol called as a word", "no word of the language", "symbol psd param"},
	{"a frozen copy", "no head", "t frozen 3"},
	{"an abbreviation for a number", "has a name of its own", "c state\np 0 modulo eq 1 1 : :\na 1 two\ngoal 0"},
	{"an abbreviation called as a symbol", "names nothing else", "t sum 1 1\na 10 y\nc state\np 0 modulo eq 1 1 : :\ngoal 0"},
	{"an abbreviation called as a later symbol", "names nothing else", "t sum 1 1\na 10 late\nsymbol late param\nc state\np 0 modulo eq 1 1 : :\ngoal 0"},
	{"one abbreviation for two terms", "names nothing else", "t sum 1 1\nt sum 1 2\na 10 D\na 11 D\nc state\np 0 modulo eq 1 1 : :\ngoal 0"},
	// References.
	{"a theorem that rests on itself", "does not stand above", "c state\np 0 weaken eq 1 2 : 0 :"},
	{"a term that contains itself", "does not stand above", "t sum 1 10"},
	{"a negative reference", "is no number", "t sum 1 -1"},
	{"a reference with a leading zero", "is no number", "t sum 1 01"},
	{"a reference with a sign", "is no number", "t sum 1 +1"},
	{"a huge reference", "is no number", "t sum 1 18446744073709551617"},
	{"a goal that is no theorem", "does not stand above", "c state\ngoal 0"},
	// Vacuous.
	{"a vacuous 1 = 1", "theorem of an absurdity", "c state\np 0 modulo eq 1 1 : :\nvacuous 0"},
	{"a vacuity twice", "theorem of an absurdity", "h here absurd\nc state\np 0 hyp absurd : :\nvacuous 0\nvacuous 0"},
	{"a vacuity among goals", "after the conclusion", "h here absurd\nc state\np 0 hyp absurd : :\ngoal 0\nvacuous 0"},
	{"a goal about a hole", "speaks of a hole", "c state\np 0 modulo eq 5 5 : :\ngoal 0"},
	{"a goal under a hypothesis about a hole", "speaks of a hole", "h here eq 5 1\nc state\np 0 modulo eq 1 1 : :\ngoal 0"},
	{"a vacuity about a hole", "speaks of a hole", "h here eq 5 1\nh here absurd\nc state\np 0 hyp absurd : :\nvacuous 0"},
	{"a region under a hypothesis about a hole", "speaks of a hole", "h here eq 5 1\nc state\nleaf exact\ncertified 0 eq 1 2"},
	{"a goal twice", "a goal already", "c state\np 0 modulo eq 1 1 : :\ngoal 0\ngoal 0"},
	{"a step after the conclusion", "after the conclusion", "c state\np 0 modulo eq 1 1 : :\ngoal 0\nh here eq 1 2\nc state"},
	{"a message after a proof", "in a certificate of kind", "c state\np 0 modulo eq 1 1 : :\ngoal 0\nillformed no"},
	{"a message in other spaces", "single spaces", "illformed no  meaning"},
	{"no message", "one message", "illformed "},
	{"two messages", "one message", "illformed no\nillformed no"},
	// Counterexamples. The vocabulary wants n, x, y, W, A.
	{"a counterexample to 1 = 1", "not refuted", "c state\n" + values + "\nrefutes 0 eq 1 1 :"},
	{"a counterexample at which a hypothesis fails", "does not hold", "h here eq 1 2\nc state\n" + values + "\nrefutes 0 eq 1 2 :"},
	{"a counterexample at which a hypothesis has no value", "has no value", "t reciprocal 0\nh here eq 10 10\nc state\n" + values + "\nrefutes 0 eq 1 2 :"},
	{"a counterexample where the goal has no value", "no value", "t reciprocal 0\nc state\n" + values + "\nrefutes 0 eq 10 0 :"},
	{"a counterexample without all values", "has no value", "c state\ndim n 1\nvalue x 1 1 : 0\nrefutes 0 eq 1 2 :"},
	{"a value of a hole", "has none at a state", "c state\n" + values + "\nvalue h 1 1 : 0\nrefutes 0 eq 1 2 :"},
	{"a size of zero", "needs a number", "c state\n" + strings.Replace(values, "dim n 1", "dim n 0", 1) + "\nrefutes 0 eq 1 2 :"},
	{"a size that nobody declared", "not declared", "c state\ndim m 1\n" + values + "\nrefutes 0 eq 1 2 :"},
	{"two values", "two values", values + "\nvalue x 1 1 : 0"},
	{"two values of a size", "two values", values + "\ndim n 1"},
	{"an entry too many", "entries", "value x 1 1 : 0 0"},
	{"a matrix of another shape", "rows", "c state\n" + strings.Replace(values, "value A 1 1 : 0", "value A 2 1 : 0 0", 1) + "\nrefutes 0 eq 1 2 :"},
	{"a number that is not in lowest terms", "lowest terms", "value x 1 1 : 2/4"},
	{"minus zero", "lowest terms", "value x 1 1 : -0"},
	{"a number over one", "lowest terms", "value x 1 1 : 3/1"},
	{"a divided zero", "lowest terms", "value x 1 1 : 1/0"},
	{"a hexadecimal number", "no fraction", "value x 1 1 : 0x10"},
	{"a decimal number", "no fraction", "value x 1 1 : 1.5"},
	{"a power of ten", "no fraction", "value x 1 1 : 1e999999999"},
	{"two counterexamples", "two counterexamples", "c state\n" + values + "\nrefutes 0 eq 1 2 :\nrefutes 0 eq 1 2 :"},
	{"a motion refuted where a hypothesis soon fails", "may not hold along", "flow 3 1\nt number -1\nh always ge 0 3\nc motion\n" + values +
		"\nrefutes 0 staynonnegative 10 :"},
	{"a motion refuted along which W = W^T is kept by W pd, and W pd by W = W^T", "may not hold along", "flow 6 7\nt transpose 6\nt transpose 7\n" +
		"h always pd 6\nc motion\nh here pd 6\nc state\np 1 modulo eq 10 6 : :\np 0 lift always eq 10 6 : 0 :\nh always eq 10 6\nc motion\n" +
		"dim n 2\nvalue x 1 1 : 0\nvalue y 1 1 : 0\nvalue W 2 2 : 1 0 0 1\nvalue A 2 2 : 0 1 0 0\nrefutes 2 always eq 11 7 : 1"},
	{"a step refuted after its hypothesis has failed", "not fail", "map 3 1\nh always eq 3 0\nc orbit\n" + values + "\nrefutes 0 always eq 3 0 :"},
}

const values = "dim n 1\nvalue x 1 1 : 0\nvalue y 1 1 : 0\nvalue W 1 1 : 0\nvalue A 1 1 : 0"

// large is a state of 64×64 matrices.
var large = strings.NewReplacer("dim n 1", "dim n 64", " 1 1 : 0\nvalue A 1 1 : 0", " 64 64 :"+strings.Repeat(" 1", 64*64)+"\nvalue A 64 64 :"+
	strings.Repeat(" 1", 64*64)).Replace(values)

// TestAttacksAreRefused reads each attack and finds it refused for its reason, at a line of it.
func TestAttacksAreRefused(t *testing.T) {
	for _, a := range attacks {
		c, err := readAll(sealed(vocabulary, a.text))
		if err == nil {
			t.Errorf("%s: established: %s", a.what, c.Sequent())
		} else if !strings.Contains(err.Error(), a.want) {
			t.Errorf("%s: refused for another reason than %q: %v", a.what, a.want, err)
		}
	}
}

// floods want memory or time: each is a file below MaxBytes that used to take minutes or gigabytes, or could have.
var floods = []struct {
	what, want string
	text       func() string
}{
	{"a dimension that doubles with every kron", "a dimension of more than", func() string {
		return vocabulary + "\n" + numbered(10, 28, "t kronecker %d %d", 7)
	}},
	{"a dimension that doubles with every rvec", "a dimension of more than", func() string {
		var b strings.Builder
		last := 7
		for i := 10; i < 100; i += 3 {
			fmt.Fprintf(&b, "\nt rowstack %d\nt transpose %d\nt product %d %d", last, i, i, i+1)
			last = i + 2
		}
		return vocabulary + b.String()
	}},
	{"a dimension of many legs", "a dimension of more than", func() string {
		return vocabulary + "\nt identity n" + strings.Repeat("*n", 2_000_000)
	}},
	{"many long dimensions", "steps of work", func() string {
		return vocabulary + "\nt identity n" + strings.Repeat("*n", 1_000) + "\nt rowstack 10\n" +
			lines(150_000, "t size n*n") + "\n" + numbered(13, 10, "t sum %d %d", 11) + "\n" + lines(150_000, "t sum 11 11")
	}},
	{"many sizes", "steps of work", func() string {
		return vocabulary + "\n" + lines(190_000, "size s%d") + "\n" + lines(150_000, "symbol y%d param") + "\n" + lines(20_000, "c state")
	}},
	{"many contexts", "steps of work", func() string { return vocabulary + "\n" + lines(900_000, "c state") }},
	{"many steps among many terms", "steps of work", func() string {
		return vocabulary + "\n" + lines(190_000, "t number %d") + "\nc state\n" + lines(200_000, "p 0 modulo eq 1 1 : :")
	}},
	{"theorems of many hypotheses made thin", "steps of work", func() string {
		return vocabulary + "\n" + lines(200_000, "h here eq 1 1") + "\nc state\n" + lines(200_000, "h here eq 1 1") + "\nh here eq 1 2\nc state\n" +
			"p 0 hyp eq 1 1 : :\np 1 thin eq 1 1 : 0 :"
	}},
	{"divisors that share a large term", "steps of work", func() string {
		// S is a sum of 2·20,000 parameters; 20,000 divisors S + i; a hypothesis that is constant if none of them moves.
		var b strings.Builder
		b.WriteString(vocabulary + "\nflow 3 1\n")
		for i := range 20_000 {
			fmt.Fprintf(&b, "t number 1/%d\n", i+7)
		}
		shared := tree(&b, 10, 20_000, 20_010)
		next := shared + 1
		from := next
		for i := range 20_000 {
			fmt.Fprintf(&b, "t sum %d %d\n", shared, 10+i)
			next++
		}
		second := next
		for i := range 20_000 {
			fmt.Fprintf(&b, "t reciprocal %d\n", from+i)
			next++
		}
		top := tree(&b, second, 20_000, next)
		fmt.Fprintf(&b, "h const gt %d 0\nc motion\n", top)
		return b.String() + lines(100, fmt.Sprintf("h const gt %d 0\nc motion", top))
	}},
	{"hypotheses that each mention a large term", "steps of work", func() string {
		var b strings.Builder
		b.WriteString(vocabulary + "\nflow 3 1\n")
		for i := range 40_000 {
			fmt.Fprintf(&b, "t number 1/%d\n", i+7)
		}
		top := tree(&b, 10, 40_000, 40_010)
		return b.String() + lines(40_000, fmt.Sprintf("h always gt %d 0", top)) + "\nc motion"
	}},
	{"a psd sum whose tree is exponential", "operations on numbers", func() string {
		return vocabulary + "\nt identity n\n" + numbered(11, 300, "t sum %d %d", 10) + "\nh here psd 310\nc state\n" +
			strings.NewReplacer("dim n 1", "dim n 2", " 1 1 : 0\nvalue A 1 1 : 0", " 2 2 : 0 0 0 0\nvalue A 2 2 : 0 0 0 0").Replace(values) + "\nrefutes 0 eq 1 2 :"
	}},
	{"steps that each multiply out a power", "steps of work", func() string {
		var b strings.Builder
		b.WriteString(vocabulary + "\nsymbol u param\nsymbol v param\nt letter u\nt letter v\nt sum 4 10\nt sum 11 12\nc state\n")
		term := 14
		for k := 20; k < 120; k++ {
			fmt.Fprintf(&b, "t power %d 13\nt power %d 13\nt product %d 13\np 0 modulo eq %d %d : :\n", k, k+1, term, term+1, term+2)
			term += 3
		}
		return b.String()
	}},
	{"derivatives inside one another of a product of matrices", "operations on numbers", func() string {
		// The innermost of eight derivatives moves the only letter: of the 256 coefficients of each entry two are there.
		var b strings.Builder
		b.WriteString(vocabulary + "\n" + lines(8, "symbol u%d param") + "\n" + lines(8, "t letter u%d") + "\nt product 17 7\nt product 18 18\n" +
			numbered(20, 40, "t product 18 %d", 19) + "\nt trace 59\n")
		for i := range 8 {
			fmt.Fprintf(&b, "t diff %d %d\n", 60+i, 17-i)
		}
		return b.String() + "c state\n" + large + "\n" + lines(8, "value u%d 1 1 : 1") + "\nrefutes 0 eq 68 1 :"
	}},
	{"many large matrices", "operations on numbers", func() string {
		var b strings.Builder
		b.WriteString(vocabulary + "\n" + lines(60, "symbol M%d param n n") + "\n")
		next, top := 10, 0
		for i := range 60 {
			fmt.Fprintf(&b, "t letter M%d\n%s\n", i, numbered(next+1, 400, "t transpose %d", next))
			fmt.Fprintf(&b, "t trace %d\n", next+400)
			if next += 402; i == 0 {
				top = next - 1
				continue
			}
			fmt.Fprintf(&b, "t sum %d %d\n", top, next-1)
			top, next = next, next+1
		}
		fmt.Fprintf(&b, "c state\n%s\n%s\nrefutes 0 eq %d 0 :", large, lines(60, "value M%d 64 64 :"+strings.Repeat(" 1", 64*64)), top)
		return b.String()
	}},
	{"steps about one large term", "steps of work", func() string {
		var b strings.Builder
		b.WriteString(vocabulary + "\n")
		for i := range 40_000 {
			fmt.Fprintf(&b, "t number 1/%d\n", i+7)
		}
		top := tree(&b, 10, 40_000, 40_010)
		return b.String() + "c state\n" + lines(1_000, fmt.Sprintf("p 0 modulo eq %d %d : :", top, top))
	}},
	{"a million terms stay by invariance", "steps of work", func() string {
		return vocabulary + "\nmap 3 1\nc orbit\nc state\np 1 number ge 1 0 : :\nt next 3\n" +
			"p 1 transport ge 10 0 : 0 :\np 0 invariant staynonnegative" + strings.Repeat(" 3", 1_000_000) + " :" + strings.Repeat(" 1", 1_000_000) + " :"
	}},
	{"many terms stay behind a barrier", "steps of work", func() string {
		const k = 20_000
		var holes strings.Builder
		for i := range k {
			fmt.Fprintf(&holes, " %d", 10+i)
		}
		return vocabulary + "\nflow 3 0\n" + lines(k, "symbol h%d hole") + "\n" + lines(k, "t letter h%d") + "\nc motion\nc state\np 1 modulo eq 8 0 : :\n" +
			"p 0 lift always eq 8 0 : 0 :\np 1 number ge 0 0 : :\np 0 barrier staynonnegative" + strings.Repeat(" 3", k) + " :" +
			strings.Repeat(" 1", k) + strings.Repeat(" 2", k) + " :" + strings.Repeat(" 0", k) + holes.String()
	}},
	{"a polynomial in a million bounded terms", "operations", func() string {
		return vocabulary + "\n" + lines(400, "t number 1%d") + "\n" + numbered(410, 300, "t sum 409 %d", 10) + "\nh here ge 3 0\nc state\np 0 hyp ge 3 0 : :\n" +
			"p 0 bernstein ge 709 0 :" + strings.Repeat(" 0", 1_000_000) + " :"
	}},
	{"a huge exponent", "refers to something", func() string { return vocabulary + "\nt power 4097 4" }},
	{"a tower of exponents", "bits", func() string {
		return vocabulary + "\nt power 4096 2\nt power 4096 10\nt power 4096 11\nc state\np 0 modulo eq 12 12 : :\np 0 number gt 12 0 : :"
	}},
	{"a number of many digits", "digits", func() string { return vocabulary + "\nt number 1" + strings.Repeat("0", 7<<20) }},
	{"a deep term", "nested deeper", func() string { return vocabulary + "\n" + numbered(10, 600, "t sum %d %d", 4) }},
	{"always, a million times", "there is no form", func() string {
		return vocabulary + "\nc state\np 0 modulo" + strings.Repeat(" always", 1_000_000) + " eq 1 1 : :"
	}},
	{"a line of one word", "there is no item", func() string { return vocabulary + "\n" + strings.Repeat("p", 7<<20) }},
	{"a line of spaces", "single spaces", func() string { return vocabulary + "\n" + strings.Repeat(" ", 7<<20) }},
	{"a premise named a million times", "takes 1 premise", func() string {
		return vocabulary + "\nc state\np 0 modulo eq 1 1 : :\np 0 weaken eq 1 1 :" + strings.Repeat(" 0", 1_000_000) + " :"
	}},
	{"a million terms stay zero by many hypotheses", "steps of work", func() string {
		return vocabulary + "\nflow 3 0\n" + lines(100_000, "h always eq 3 0") + "\nc motion\nh here eq 3 0\nc state\np 1 hyp eq 3 0 : :\n" +
			"p 0 lift always eq 3 0 : 0 :\np 0 remain stayzero" + strings.Repeat(" 3", 1_000_000) + " :" + strings.Repeat(" 1", 1_000_000) + " :\n" +
			"p 0 keep always eq 3 0 : 2 :"
	}},
	{"many steps on large numbers", "steps", func() string {
		return strings.Replace(vocabulary, "t number 2", "t number 2"+strings.Repeat("7", 19_000), 1) + "\nc state\n" +
			"t product 2 2\n" + lines(200, "p 0 bernstein ge 10 0 : :")
	}},
	{"more than the bytes that a file may have", "bytes", func() string { return vocabulary + "\n" + lines(700_000, "h here eq 1 1") }},
}

// slow are the floods that take seconds until they are refused.
var slow = map[string]bool{"steps about one large term": true, "many sizes": true, "many steps among many terms": true, "divisors that share a large term": true,
	"hypotheses that each mention a large term": true, "steps that each multiply out a power": true}

// numbered chains k terms from the number at on, each of the one before twice.
func numbered(at, k int, format string, first int) string {
	var b strings.Builder
	for i := range k {
		last := at + i - 1
		if i == 0 {
			last = first
		}
		fmt.Fprintf(&b, format+"\n", []any{last, last}[:strings.Count(format, "%d")]...)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// tree adds k terms from the number from on in a balanced tree, whose first sum gets the number next, and returns the
// number of its root.
func tree(b *strings.Builder, from, k, next int) int {
	level := make([]int, k)
	for i := range level {
		level[i] = from + i
	}
	for len(level) > 1 {
		var up []int
		for i := 0; i+1 < len(level); i += 2 {
			fmt.Fprintf(b, "t sum %d %d\n", level[i], level[i+1])
			up = append(up, next)
			next++
		}
		if len(level)%2 == 1 {
			up = append(up, level[len(level)-1])
		}
		level = up
	}
	return level[0]
}

// TestFloodsAreRefused reads each flood and finds it refused by the limit that it passes.
func TestFloodsAreRefused(t *testing.T) {
	for _, f := range floods {
		t.Run(f.what, func(t *testing.T) {
			if slow[f.what] && os.Getenv("STOPGRAD_LONG") == "" {
				t.Skip("takes seconds: set STOPGRAD_LONG")
			}
			text := sealed(f.text())
			c, err := readAll(text)
			if err == nil {
				t.Fatalf("established: %.200s", c.Sequent())
			}
			if !strings.Contains(err.Error(), f.want) {
				t.Errorf("refused for another reason than %q: %v", f.want, err)
			}
			t.Logf("%d bytes: %.150v", len(text), err)
		})
	}
}

// TestFramesAreRefused reads files whose frame is wrong: first line, claim, digest, characters, items.
func TestFramesAreRefused(t *testing.T) {
	good := string(sealed("t number 1", "c state", "p 0 modulo eq 0 0 : :", "goal 0"))
	if _, err := readAll([]byte(good)); err != nil {
		t.Fatal(err)
	}
	head := "stopgrad certificate 1\nclaim a b c\n"
	for _, f := range []struct{ what, want, text string }{
		{"nothing", "line 0: the file is cut off", ""},
		{"another format", "line 1: expected", strings.Replace(good, "certificate 1", "certificate 2", 1)},
		{"lines ended by two characters", "line 1: a character", strings.ReplaceAll(good, "\n", "\r\n")},
		{"a character of two bytes", "line 2: a character", strings.Replace(good, "forged", "f\u00f6rged", 1)},
		{"a zero byte", "line 2: a character", strings.Replace(good, "forged", "f\x00rged", 1)},
		{"no claim", "line 2: expected claim", sealedBody("stopgrad certificate 1\nt number 1\n")},
		{"a claim of two words", "second line", sealedBody("stopgrad certificate 1\nclaim a b\n")},
		{"two claims", "line 3: claim ID", sealedBody(head + "claim a b c\n")},
		{"an empty line", "single spaces", sealedBody(head + "\n")},
		{"two spaces", "single spaces", sealedBody(head + "t  number 1\n")},
		{"a space at the end", "single spaces", sealedBody(head + "t number 1 \n")},
		{"a tabulator", "a character", sealedBody(head + "t\tnumber 1\n")},
		{"an item of no kind", "there is no item", sealedBody(head + "u 1\n")},
		{"nothing established", "establishes nothing", sealedBody(head)},
		{"no digest", "cut off", head},
		{"the digest of something else", "line 7: the digest", strings.Replace(good, "forged", "forger", 1)},
		{"a digest in capitals", "the digest", strings.Replace(good, "sha256 ", "sha256 A", 1)},
		{"two digests", "follows the digest", good + good[strings.Index(good, "sha256"):]},
		{"two files", "follows the digest", good + good},
		{"no end of the last line", "middle of a line", strings.TrimSuffix(good, "\n")},
		{"size of two words", "takes 1 words", sealedBody(head + "size n m\n")},
		{"symbol of three words", "a name, a class", sealedBody(head + "symbol x param n\n")},
		{"symbol of no class", "no class", sealedBody(head + "symbol x real\n")},
		{"a term of no head", "takes a head", sealedBody(head + "t\n")},
		{"a term of an unknown head", "no head", sealedBody(head + "t exp 0\n")},
		{"a letter that is not declared", "no symbol", sealedBody(head + "t letter q\n")},
		{"zero of one size", "takes 2 words", sealedBody(head + "t zero 1\n")},
		{"moment of two terms", "3 terms", sealedBody(head + "t number 1\nmoment 0 0\n")},
		{"flow of one term", "2 terms", sealedBody(head + "t number 1\nflow 0\n")},
		{"an abbreviation of one word", "takes 2 words", sealedBody(head + "t number 1\na 0\n")},
		{"h of one word", "a mark and a formula", sealedBody(head + "h here\n")},
		{"h of no mark", "no mark", sealedBody(head + "t number 1\nh soon eq 0 0\n")},
		{"c of no kind", "no context", sealedBody(head + "c time\n")},
		{"p of two fields", "3 fields", sealedBody(head + "t number 1\nc state\np 0 modulo eq 0 0 :\n")},
		{"p of a context that is not there", "does not stand above", sealedBody(head + "t number 1\np 0 modulo eq 0 0 : :\n")},
		{"p of two words", "a context, a rule and a goal", sealedBody(head + "c state\np 0 modulo : :\n")},
		{"p of no form", "no form", sealedBody(head + "t number 1\nc state\np 0 modulo lt 0 0 : :\n")},
		{"p of no rule", "no rule", sealedBody(head + "t number 1\nc state\np 0 sorry eq 0 0 : :\n")},
		{"two theorems as one goal", "takes one theorem", strings.Replace(good, "goal 0\n", "goal 0 0\n", 1)},
		{"dim of one word", "a size and its value", sealedBody(head + "dim n\n")},
		{"dim above the most", "does not stand above", sealedBody(head + "dim n 65\n")},
		{"value of two words", "rows and columns", sealedBody(head + "value x 1 : 1\n")},
		{"value of no rows", "entries", sealedBody(head + "value x 0 0 :\n")},
		{"refutes of one word", "a context and a statement", sealedBody(head + "c state\nrefutes 0 :\n")},
	} {
		if f.what == "two theorems as one goal" {
			f.text = string(resealed(f.text[:strings.Index(f.text, "sha256")]))
		}
		if _, err := readAll([]byte(f.text)); err == nil || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: not refused for %q: %v", f.what, f.want, err)
		}
	}
}

func sealedBody(body string) string { return string(resealed(body)) }
