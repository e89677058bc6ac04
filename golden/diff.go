package golden

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// Difference is one member that differs between two goldens.
type Difference struct {
	Path     string   // such as bands.er.mean or runs[seed 3, rerun 0].final.er
	Old, New string   // JSON of the values; empty where the member is absent
	Relative *float64 // (new − old)/|old| of two numbers with old ≠ 0
}

// String returns "PATH: OLD → NEW (+1.2 %)", with "(absent)" for a missing side.
func (d Difference) String() string {
	side := func(s string) string {
		if s == "" {
			return "(absent)"
		}
		return s
	}
	text := fmt.Sprintf("%s: %s → %s", d.Path, side(d.Old), side(d.New))
	if d.Relative != nil {
		text += fmt.Sprintf(" (%+.3g %%)", 100**d.Relative)
	}
	return text
}

// Diff returns every member in which two goldens differ, in the order of the canonical form. Runs are matched by seed
// and rerun, series by step, claims by id, tensors by name and step; other arrays by index.
func Diff(old, new *Golden) ([]Difference, error) {
	a, err := old.tree()
	if err != nil {
		return nil, err
	}
	b, err := new.tree()
	if err != nil {
		return nil, err
	}
	var out []Difference
	diffNodes(a, b, "", &out)
	return out, nil
}

// DiffFiles is Diff of two files. Neither is verified beyond its form.
func DiffFiles(oldFile, newFile string) ([]Difference, error) {
	var g [2]*Golden
	for i, name := range []string{oldFile, newFile} {
		text, err := readFile(os.DirFS(filepath.Dir(name)), filepath.Base(name))
		if err == nil {
			g[i], err = Decode(text)
		}
		if err != nil {
			return nil, refused(name, err).Outcomes[0].Err
		}
	}
	return Diff(g[0], g[1])
}

// maxDiffText bounds the length of a value shown in a difference.
const maxDiffText = 160

func diffText(n *node) string {
	if n == nil {
		return ""
	}
	text := []rune(string(canonical(nil, n, "")))
	if len(text) > maxDiffText {
		return string(text[:maxDiffText]) + "…"
	}
	return string(text)
}

func diffNodes(a, b *node, path string, out *[]Difference) {
	switch {
	case a != nil && b != nil && a.kind == objectNode && b.kind == objectNode:
		keys := make(map[string]bool)
		merged := &node{kind: objectNode}
		for _, m := range append(append([]member(nil), a.members...), b.members...) {
			if !keys[m.key] {
				keys[m.key] = true
				merged.members = append(merged.members, m)
			}
		}
		for _, m := range sortedMembers(merged) {
			diffNodes(a.get(m.key), b.get(m.key), childPath(path, m.key), out)
		}
	case a != nil && b != nil && a.kind == arrayNode && b.kind == arrayNode:
		diffArrays(a, b, path, out)
	default:
		d := Difference{Path: path, Old: diffText(a), New: diffText(b)}
		if a != nil && b != nil && a.kind == b.kind {
			if string(canonical(nil, a, "")) == string(canonical(nil, b, "")) {
				return
			}
			if a.kind == numberNode && a.number != 0 {
				r := (b.number - a.number) / math.Abs(a.number)
				d.Relative = &r
			}
		}
		*out = append(*out, d)
	}
}

func diffArrays(a, b *node, path string, out *[]Difference) {
	index := func(n *node) (names []string, byName map[string]*node) {
		byName = make(map[string]*node)
		for i, v := range n.items {
			name := itemName(v, i)
			if byName[name] != nil {
				name = strconv.Itoa(i) // not unique after all
			}
			byName[name] = v
			names = append(names, name)
		}
		return names, byName
	}
	an, am := index(a)
	bn, bm := index(b)
	for _, name := range an {
		diffNodes(am[name], bm[name], path+"["+name+"]", out)
	}
	for _, name := range bn {
		if am[name] == nil {
			diffNodes(nil, bm[name], path+"["+name+"]", out)
		}
	}
}

// itemName identifies an element of an array by what it is rather than where it stands.
func itemName(n *node, i int) string {
	if n.kind == objectNode {
		seed, rerun, step, name, id := n.get("seed"), n.get("rerun"), n.get("step"), n.get("name"), n.get("id")
		switch {
		case seed != nil && rerun != nil:
			return fmt.Sprintf("seed %s, rerun %s", diffText(seed), diffText(rerun))
		case step != nil && name != nil:
			return fmt.Sprintf("%s at step %s", name.text, diffText(step))
		case step != nil:
			return "step " + diffText(step)
		case id != nil && id.kind == stringNode:
			if metric := n.get("metric"); metric != nil {
				return id.text + " " + metric.text
			}
			return id.text
		}
	}
	return strconv.Itoa(i)
}
