package algebra

import (
	"fmt"
	"math/big"
	"strings"
)

// shown is how many terms a rendering of an element shows before it breaks off.
const shown = 6

// FormatFrac renders f in Unicode, at most a few terms of it.
func (r *Ring) FormatFrac(f *Frac) string {
	s := r.formatPoly(f.num)
	if len(f.den) == 0 {
		return s
	}
	var ds []string
	for _, d := range f.den {
		t := r.formatPoly(d.p)
		if d.p.Len() > 1 {
			t = "(" + t + ")"
		}
		if d.pow > 1 {
			t += superscript(d.pow)
		}
		ds = append(ds, t)
	}
	if f.num.Len() > 1 {
		s = "(" + s + ")"
	}
	return s + "/(" + strings.Join(ds, "·") + ")"
}

func (r *Ring) formatPoly(p *Poly) string {
	if p.IsZero() {
		return "0"
	}
	var b strings.Builder
	for i, t := range p.sorted() {
		if i == shown {
			fmt.Fprintf(&b, " + … (%d more)", p.Len()-shown)
			break
		}
		var fs []string
		for _, pw := range t.m {
			s := r.genText(pw.gen)
			if pw.exp > 1 {
				s += superscript(pw.exp)
			}
			fs = append(fs, s)
		}
		writeTerm(&b, i, t.c, strings.Join(fs, "·"))
	}
	return b.String()
}

func writeTerm(b *strings.Builder, i int, c *big.Rat, body string) {
	a := new(big.Rat).Abs(c)
	switch {
	case c.Sign() < 0 && i == 0:
		b.WriteString("−")
	case c.Sign() < 0:
		b.WriteString(" − ")
	case i > 0:
		b.WriteString(" + ")
	}
	switch {
	case body == "":
		b.WriteString(a.RatString())
	case a.Cmp(one) == 0:
		b.WriteString(body)
	default:
		b.WriteString(a.RatString() + "·" + body)
	}
}

func (r *Ring) genText(g int) string {
	if w := r.gens[g].word; w != nil {
		return "tr(" + r.wordText(w) + ")"
	}
	if n, ok := strings.CutPrefix(r.gens[g].name, "size:"); ok {
		return n
	}
	return r.gens[g].name
}

func (r *Ring) wordText(w []occ) string {
	var fs []string
	for _, o := range w {
		s := r.letters[o.letter].Name
		if o.t {
			s += "ᵀ"
		}
		fs = append(fs, s)
	}
	return strings.Join(fs, "·")
}

// FormatMat renders m in Unicode, at most a few words of it.
func (r *Ring) FormatMat(m *Mat) string {
	if m.IsZero() {
		return "0"
	}
	var b strings.Builder
	for i, t := range m.sorted() {
		if i == shown {
			fmt.Fprintf(&b, " + … (%d more)", len(m.terms)-shown)
			break
		}
		body := r.wordText(t.w)
		if len(t.w) == 0 {
			body = "I"
		}
		if c, ok := t.c.Constant(); ok {
			writeTerm(&b, i, c, body)
			continue
		}
		if i > 0 {
			b.WriteString(" + ")
		}
		if t.c.Len() > 1 {
			b.WriteString("(" + r.FormatFrac(t.c) + ")·" + body)
		} else {
			b.WriteString(r.FormatFrac(t.c) + "·" + body)
		}
	}
	return b.String()
}

func superscript(n int) string {
	digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	var b strings.Builder
	for _, d := range fmt.Sprint(n) {
		b.WriteRune(digits[d-'0'])
	}
	return b.String()
}
