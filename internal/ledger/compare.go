package ledger

import "fmt"

// Change is one difference between two ledgers.
type Change struct {
	ID       string  // claim
	What     string  // "as printed", "corrected", "twin MUTATION", or "claim" if all of it is new or missing
	Old, New Verdict // empty where the ledger has no such entry
}

// String renders the change as one line.
func (c Change) String() string {
	switch {
	case c.Old == "":
		return fmt.Sprintf("%s: %s: new, %s", c.ID, c.What, c.New)
	case c.New == "":
		return fmt.Sprintf("%s: %s: missing, was %s", c.ID, c.What, c.Old)
	}
	return fmt.Sprintf("%s: %s: %s → %s", c.ID, c.What, c.Old, c.New)
}

// Compare lists what differs between two ledgers in the verdicts of claims, corrected readings and twins: in
// the order of the new ledger, followed by what only the old one has.
func Compare(old, new *Ledger) []Change {
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
