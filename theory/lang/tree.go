package lang

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

type line struct {
	text string
	pos  Pos
}

// node is an item of the file: its own line(s) and the items indented below it.
type node struct {
	lines []line
	kids  []*node
}

func (n *node) pos() Pos { return n.lines[0].pos }

// word returns the first word of the item.
func (n *node) word() string {
	w, _, _ := strings.Cut(n.lines[0].text, " ")
	return w
}

// prose returns the item's text after its first word, lines joined by spaces.
func (n *node) prose() string {
	_, rest, _ := strings.Cut(n.lines[0].text, " ")
	parts := []string{strings.TrimSpace(rest)}
	for _, l := range n.lines[1:] {
		parts = append(parts, strings.TrimSpace(l.text))
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// keywords start an item of their own; any other deeper line continues the line above.
var keywords = map[string]bool{
	"system": true, "claim": true, "title": true, "printed": true, "quote": true, "note": true, "about": true,
	"uses": true, "size": true, "scalar": true, "root": true, "matrix": true, "random": true, "moment": true,
	"input": true, "let": true, "flow": true, "map": true, "says": true, "corrected": true, "assume": true, "restrict": true,
	"for":  true,
	"draw": true, "proof": true, "twin": true, "why": true, "words": true, "consequence": true,
	"expand": true, "modulo": true, "manifest": true, "fact": true, "gronwall": true, "integrate": true,
	"congruence": true, "monotone": true, "barrier": true, "sturm": true, "count": true, "apply": true, "follows": true, "suppose": true,
}

// isProse reports whether the item's text is for readers only, so that its lines are never parsed.
func isProse(word string) bool {
	switch word {
	case "title", "printed", "quote", "note", "about", "why", "words":
		return true
	}
	return false
}

func startsItem(text string, parent *node) bool {
	w := text
	if i := strings.IndexAny(text, " :"); i >= 0 {
		w = text[:i]
	}
	if keywords[w] {
		return true
	}
	if parent != nil {
		switch parent.word() {
		case "flow", "map":
			return strings.Contains(text, "' =") || strings.Contains(text, "+ =")
		}
	}
	return false
}

// disguises reports whether a character moves or hides others where a text is shown, so that it may read as another one.
func disguises(r rune) bool {
	return r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

// parseTree groups the lines of a file into items by indentation.
func parseTree(file, src string) ([]*node, error) {
	type frame struct {
		indent int
		n      *node
	}
	var roots []*node
	var stack []frame
	for i, raw := range strings.Split(src, "\n") {
		text := strings.TrimRight(raw, " \t\r")
		if !utf8.ValidString(text) {
			return nil, errAt(Pos{file, i + 1, 1}, "this line is not valid UTF-8 text")
		}
		if k := strings.IndexFunc(text, disguises); k >= 0 {
			r, _ := utf8.DecodeRuneInString(text[k:])
			return nil, errAt(Pos{file, i + 1, utf8.RuneCountInString(text[:k]) + 1}, "the control character %U; expected text that reads as it is written", r)
		}
		if h := commentStart(text); h >= 0 {
			text = strings.TrimRight(text[:h], " \t")
		}
		trimmed := strings.TrimLeft(text, " ")
		if trimmed == "" {
			continue
		}
		indent := len(text) - len(trimmed)
		pos := Pos{file, i + 1, indent + 1}
		if strings.HasPrefix(trimmed, "\t") {
			return nil, errAt(pos, "a tab in the indentation; expected spaces")
		}
		trimmed = strings.ReplaceAll(trimmed, "\t", " ") // so that words end where they are seen to
		for len(stack) > 0 && indent <= stack[len(stack)-1].indent {
			stack = stack[:len(stack)-1]
		}
		ln := line{trimmed, pos}
		if len(stack) == 0 {
			if indent > 0 && len(roots) == 0 || indent > 0 {
				return nil, errAt(pos, "this line belongs to no block; expected ‘system NAME’ or ‘claim ID’ at the left margin")
			}
			n := &node{lines: []line{ln}}
			roots = append(roots, n)
			stack = append(stack, frame{indent, n})
			continue
		}
		parent := stack[len(stack)-1].n
		if isProse(parent.word()) {
			parent.lines = append(parent.lines, ln)
			continue
		}
		if !startsItem(trimmed, parent) {
			if len(stack) > 1 && len(parent.kids) > 0 {
				return nil, errAt(pos, "‘%s’ starts no item here; expected a keyword, or a continuation directly below the line it continues", firstWord(trimmed))
			}
			if w := parent.word(); len(stack) == 1 || w == "flow" || w == "map" || w == "proof" {
				return nil, errAt(pos, "‘%s’ is not an item of ‘%s’; expected %s", firstWord(trimmed), w, expectedItems(w))
			}
			parent.lines = append(parent.lines, ln)
			continue
		}
		n := &node{lines: []line{ln}}
		parent.kids = append(parent.kids, n)
		stack = append(stack, frame{indent, n})
	}
	return roots, nil
}

// items are what may stand below a system and a claim; items of a statement and steps of a proof are checked where they
// are read.
var items = map[string][]string{
	"system": {"about", "uses", "size", "scalar", "input", "root", "matrix", "random", "moment", "let", "flow", "map"},
	"claim": {"title", "printed", "quote", "note", "uses", "size", "scalar", "input", "root", "matrix", "random", "moment", "let", "flow",
		"map", "says", "corrected"},
}

// placed reports an item of a block that stands where nobody reads it: it would be no part of what is stated.
func placed(block *node) error {
	kind := block.word()
	if err := unrepeated(block); err != nil {
		return err
	}
	for _, n := range block.kids {
		w := n.word()
		if !slices.Contains(items[kind], w) {
			return errAt(n.pos(), "‘%s’ is not an item of a %s; expected %s", w, kind, expectedItems(kind))
		}
		if err := separated(n); err != nil {
			return err
		}
		switch w {
		case "flow", "map":
			if n.prose() != "" {
				return errAt(n.pos(), "expected ‘%s’ alone on its line, and the equations below it", w)
			}
		case "says", "corrected":
			if err := unrepeated(n); err != nil {
				return err
			}
			for _, k := range n.kids {
				if err := separated(k); err != nil {
					return err
				}
				switch k.word() {
				case "proof":
					if k.prose() != "" {
						return errAt(k.pos(), "expected ‘proof’ alone on its line, and the steps below it")
					}
				case "twin":
					if err := unrepeated(k); err != nil {
						return err
					}
					for _, why := range k.kids {
						if why.word() != "why" {
							return errAt(why.pos(), "‘%s’ is not an item of a twin; expected why", why.word())
						}
					}
				default:
					if err := childless(k); err != nil {
						return err
					}
				}
			}
			continue
		}
		below := []*node{n}
		if w == "flow" || w == "map" {
			below = n.kids
		}
		for _, k := range below {
			if err := childless(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// once are the items that stand once in their block; of the uses of a claim, and of a system, there may be more.
var once = map[string]bool{"title": true, "printed": true, "quote": true, "note": true, "about": true, "flow": true, "map": true,
	"why": true, "words": true, "consequence": true, "proof": true}

// unrepeated reports an item that its block has already, of which one would not be read.
func unrepeated(block *node) error {
	first := map[string]*node{}
	part := block.word() == "says" || block.word() == "corrected"
	for _, n := range block.kids {
		w := n.word()
		if !once[w] && !(part && w == "uses") {
			continue
		}
		if first[w] != nil {
			return errAt(n.pos(), "a second ‘%s’ of the same %s; the first is in line %d", w, block.word(), first[w].pos().Line)
		}
		first[w] = n
	}
	return nil
}

// separated reports a list of systems in which a name is missing.
func separated(n *node) error {
	if n.word() != "uses" {
		return nil
	}
	for _, name := range splitNames(n.prose()) {
		if name == "" {
			return errAt(n.pos(), "a name is missing after ‘uses’; expected names of systems with a comma between two of them")
		}
	}
	return nil
}

// childless reports an item below one that has none.
func childless(n *node) error {
	if len(n.kids) == 0 {
		return nil
	}
	return errAt(n.kids[0].pos(), "‘%s’ stands below ‘%s’, which has no items; expected it further to the left", n.kids[0].word(), n.word())
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}

func expectedItems(parent string) string {
	switch parent {
	case "flow":
		return "an equation like W' = -eta*W"
	case "map":
		return "an equation like W+ = W - lr*G"
	case "proof":
		return "a step: fact, suppose, or " + ruleNames
	default:
		is := items[parent]
		if is == nil {
			is = items["claim"]
		}
		return strings.Join(is[:len(is)-1], ", ") + " or " + is[len(is)-1]
	}
}

// commentStart finds a # outside quotation marks, or returns -1.
func commentStart(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '#':
			if !quoted {
				return i
			}
		}
	}
	return -1
}
