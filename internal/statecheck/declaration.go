package statecheck

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"stopgrad/theory/lang"
)

// NamePlace stands for the name in a [Declaration].
const NamePlace = "%"

// Declaration renders what is declared of a symbol (domain, shape and structure, second moment, radicand), with
// NamePlace in place of its name; show renders expressions.
func Declaration(s *lang.Symbol, show func(*lang.Expr) string, env *lang.Env) string {
	const name = NamePlace
	switch s.Kind {
	case lang.Matrix:
		return strings.TrimSpace(fmt.Sprintf("%s : %s×%s %s", name, s.Rows, s.Cols, attributes(s.Attr)))
	case lang.Random:
		out := fmt.Sprintf("%s random in ℝ^%s", name, s.Rows)
		if s.Centred {
			out += ", centred"
		}
		for _, m := range env.Moments {
			if slices.Contains(m.Of, s.Name) {
				out += fmt.Sprintf(", second moment %s", show(m.RHS))
			}
		}
		return out
	}
	if s.Root != nil {
		return name + " = √(" + show(s.Root) + ")" + map[bool]string{true: " > 0"}[s.Domain.LoOpen]
	}
	d := s.Domain
	num := func(r *big.Rat) string { return r.RatString() }
	switch {
	case d.Lo != nil && d.Hi != nil && d.Lo.Cmp(d.Hi) == 0:
		return name + " = " + num(d.Lo)
	case d.Lo != nil && d.Hi != nil:
		return num(d.Lo) + less(d.LoOpen) + name + less(d.HiOpen) + num(d.Hi)
	case d.Lo != nil:
		return name + map[bool]string{true: " > ", false: " ≥ "}[d.LoOpen] + num(d.Lo)
	case d.Hi != nil:
		return name + less(d.HiOpen) + num(d.Hi)
	case d.NonZero:
		return name + " ≠ 0"
	}
	return name + " real"
}

func less(open bool) string {
	if open {
		return " < "
	}
	return " ≤ "
}

func attributes(a lang.Attr) string {
	var out []string
	switch {
	case a&lang.PD == lang.PD:
		out = append(out, "positive definite")
	case a&lang.PSD != 0:
		out = append(out, "positive semidefinite")
	case a&lang.Diagonal != 0:
	case a&lang.Symmetric != 0:
		out = append(out, "symmetric")
	}
	for _, x := range []struct {
		a    lang.Attr
		name string
	}{{lang.Skew, "skew"}, {lang.Diagonal, "diagonal"}, {lang.Invertible, "invertible"}, {lang.Isometry, "isometry"}} {
		if a&x.a != 0 {
			out = append(out, x.name)
		}
	}
	return strings.Join(out, " ")
}
