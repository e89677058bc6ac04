package ledger

import (
	"fmt"
	"slices"
)

// Change is one difference between two ledgers.
type Change struct {
	ID       string  // claim
	What     string  // "as printed", "corrected", "twin MUTATION", or "claim" if all of it is new or missing
	Old, New Verdict // empty where the ledger has no such entry
	// Text says what differs where it is not a verdict: a statement, a hypothesis, the seed, the depth.
	Text string
}

// String renders the change as one line.
func (c Change) String() string {
	switch {
	case c.Text != "" && c.ID == "":
		return c.Text
	case c.Text != "":
		return fmt.Sprintf("%s: %s: %s", c.ID, c.What, c.Text)
	case c.Old == "":
		return fmt.Sprintf("%s: %s: new, %s", c.ID, c.What, c.New)
	case c.New == "":
		return fmt.Sprintf("%s: %s: missing, was %s", c.ID, c.What, c.Old)
	}
	return fmt.Sprintf("%s: %s: %s → %s", c.ID, c.What, c.Old, c.New)
}

// Compare lists what differs between two ledgers: first what is stated, by the canonical sequents of the parts and twins,
// and where one has none by its text; then the verdicts of claims, corrected readings and twins; in the order of the new
// ledger, followed by what only the old one has. A difference of seed or depth comes last and counts only beside another,
// since it explains it.
func Compare(old, new *Ledger) []Change {
	out := append(stated(old, new), said(old, new)...)
	if len(out) == 0 {
		return nil
	}
	if old.Seed != new.Seed {
		out = append(out, Change{Text: fmt.Sprintf("the seed was %d and is %d", old.Seed, new.Seed)})
	}
	if old.Depth != new.Depth {
		out = append(out, Change{Text: fmt.Sprintf("the depth was %s and is %s", old.Depth, new.Depth)})
	}
	if old.Summary.Sources != new.Summary.Sources {
		out = append(out, Change{Text: "the claim files differ"})
	}
	return out
}

// stated lists the parts whose statement or Γ differs.
func stated(old, new *Ledger) (out []Change) {
	for i := range new.Claims {
		n := &new.Claims[i]
		o := old.Claim(n.ID)
		if o == nil {
			continue
		}
		was := map[string][]*Detail{}
		var parts []string
		for j := range o.Evidence {
			d := &o.Evidence[j].Detail
			if key := d.Reading + "/" + d.Part; o.Evidence[j].Kind != Training {
				if was[key] == nil {
					parts = append(parts, key)
				}
				was[key] = append(was[key], d)
			}
		}
		seen := map[string]bool{}
		for j := range n.Evidence {
			d := &n.Evidence[j].Detail
			key := d.Reading + "/" + d.Part
			if seen[key] || n.Evidence[j].Kind == Training {
				continue
			}
			seen[key] = true
			var w *Detail
			for _, o := range was[key] {
				// Every piece of evidence records what it is about; one that differs counts.
				if w == nil || w.Statement == d.Statement && slices.Equal(w.Given, d.Given) && w.Sequent == d.Sequent {
					w = o
				}
			}
			what := d.said()
			switch {
			case w == nil:
				out = append(out, Change{ID: n.ID, What: what, Text: "is new"})
			case w.Statement != d.Statement:
				out = append(out, Change{ID: n.ID, What: what, Text: fmt.Sprintf("the statement was %s and is %s", w.Statement, d.Statement)})
			case !slices.Equal(w.Given, d.Given):
				out = append(out, Change{ID: n.ID, What: what, Text: "the hypotheses differ: " + firstDifference(w.Given, d.Given)})
			case w.Sequent != d.Sequent:
				out = append(out, Change{ID: n.ID, What: what, Text: "the sequent differs: statement and hypotheses that print alike are others"})
			}
		}
		for _, key := range parts {
			if !seen[key] && len(seen) > 0 {
				d := was[key][0]
				out = append(out, Change{ID: n.ID, What: d.said(), Text: "is missing; it was " + d.Statement})
			}
		}
		out = append(out, mutated(o, n)...)
		if !slices.ContainsFunc(out, func(c Change) bool { return c.ID == n.ID }) {
			whole := func(what, was, is string) {
				if was != is {
					out = append(out, Change{ID: n.ID, What: what, Text: fmt.Sprintf("the statement was %s and is %s", was, is)})
				}
			}
			whole("as printed", o.Statement, n.Statement)
			if o.Corrected != nil && n.Corrected != nil {
				whole("as corrected", o.Corrected.Statement, n.Corrected.Statement)
			}
		}
	}
	return out
}

// said names a part and its reading.
func (d *Detail) said() string {
	return d.Part + " " + map[bool]string{true: "as corrected", false: "as printed"}[d.Reading == "corrected"]
}

// mutated lists the twins whose statement or Γ differs. That one is new or missing is a difference of verdicts.
func mutated(old, new *Claim) (out []Change) {
	count := map[string]int{}
	for _, t := range new.Twins {
		left := count[t.Mutation]
		count[t.Mutation]++
		for _, o := range old.Twins {
			if o.Mutation != t.Mutation {
				continue
			}
			if left--; left >= 0 || o.Detail == nil || t.Detail == nil {
				continue
			}
			if o.Detail.Statement != t.Detail.Statement || o.Detail.Sequent != t.Detail.Sequent {
				out = append(out, Change{ID: new.ID, What: "twin " + t.Mutation,
					Text: fmt.Sprintf("the statement was %s and is %s, or its hypotheses differ", o.Detail.Statement, t.Detail.Statement)})
			}
			break
		}
	}
	return out
}

// firstDifference names the first line that only one of the lists has, or one of each.
func firstDifference(old, new []string) string {
	only := func(a, b []string) string {
		if i := slices.IndexFunc(a, func(s string) bool { return !slices.Contains(b, s) }); i >= 0 {
			return a[i]
		}
		return ""
	}
	switch gone, come := only(old, new), only(new, old); {
	case gone == "" && come == "":
		return "their order"
	case gone == "":
		return fmt.Sprintf("%q is new", come)
	case come == "":
		return fmt.Sprintf("%q is missing", gone)
	default:
		return fmt.Sprintf("%q was %q", come, gone)
	}
}

// said lists the verdicts that differ.
func said(old, new *Ledger) []Change {
	var out []Change
	for i := range new.Claims {
		n := &new.Claims[i]
		o := old.Claim(n.ID)
		if o == nil {
			out = append(out, Change{ID: n.ID, What: "claim", New: n.Verdict})
			continue
		}
		a, b := entries(o), entries(n)
		for _, e := range b {
			if was := find(a, e.What); was != e.New {
				out = append(out, Change{ID: n.ID, What: e.What, Old: was, New: e.New})
			}
		}
		for _, e := range a {
			if find(b, e.What) == "" {
				out = append(out, Change{ID: n.ID, What: e.What, Old: e.New})
			}
		}
	}
	for i := range old.Claims {
		if o := &old.Claims[i]; new.Claim(o.ID) == nil {
			out = append(out, Change{ID: o.ID, What: "claim", Old: o.Verdict})
		}
	}
	return out
}

// entries lists the verdicts of a claim in the field New. A mutation that occurs again is numbered.
func entries(c *Claim) []Change {
	out := []Change{{What: "as printed", New: c.Verdict}}
	if c.Corrected != nil {
		out = append(out, Change{What: "corrected", New: c.Corrected.Verdict})
	}
	count := map[string]int{}
	for _, t := range c.Twins {
		what := "twin " + t.Mutation
		if count[what]++; count[what] > 1 {
			what = fmt.Sprintf("%s (%d)", what, count[what])
		}
		out = append(out, Change{What: what, New: t.Verdict})
	}
	return out
}

func find(cs []Change, what string) Verdict {
	for _, c := range cs {
		if c.What == what {
			return c.New
		}
	}
	return ""
}
