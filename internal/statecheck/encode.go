package statecheck

import (
	"encoding/json"
	"math"
	"slices"
)

// MarshalJSON writes
//
//	{"id", "reading", "hypotheses": {NAME: bool}, "holds": bool, "measures": {NAME: number},
//	 "parts": {PART: {"met": bool, "holds": bool, "decided": bool, "rounded": [HYPOTHESIS, …], "against": text, "assumed": {SYMBOL: SOURCE}, "until": t, "notes": […]}},
//	 "skipped": {PART: [MISSING, …]}}
//
// where NAME is PART.NAME if the reading has several parts. "holds" says whether every statement evaluated
// holds, whether or not its hypotheses are met.
func (r *Result) MarshalJSON() ([]byte, error) {
	type part struct {
		Met     bool              `json:"met"`
		Holds   bool              `json:"holds"`
		Decided bool              `json:"decided"`
		Rounded []string          `json:"rounded,omitempty"`
		Against string            `json:"against,omitempty"`
		Assumed map[string]string `json:"assumed,omitempty"`
		Modes   int               `json:"modes,omitempty"`
		Until   float64           `json:"until,omitempty"`
		Notes   []string          `json:"notes,omitempty"`
	}
	out := struct {
		ID         string              `json:"id"`
		Reading    string              `json:"reading,omitempty"`
		Hypotheses map[string]bool     `json:"hypotheses"`
		Holds      bool                `json:"holds"`
		Measures   map[string]float64  `json:"measures"`
		Parts      map[string]part     `json:"parts"`
		Skipped    map[string][]string `json:"skipped,omitempty"`
	}{ID: r.ID, Reading: r.Reading, Hypotheses: map[string]bool{}, Holds: true, Measures: map[string]float64{}, Parts: map[string]part{}, Skipped: map[string][]string{}}
	for _, p := range r.Parts {
		prefix := ""
		if len(r.Parts)+len(r.Skipped) > 1 {
			prefix = p.Name + "."
		}
		for name, ok := range p.Hypotheses {
			out.Hypotheses[prefix+name] = ok
		}
		for name, v := range p.Measures {
			// JSON has no number for an infinity or NaN.
			if !math.IsInf(v, 0) && !math.IsNaN(v) {
				out.Measures[prefix+name] = v
			}
		}
		out.Holds = out.Holds && p.Holds
		out.Parts[p.Name] = part{p.Met, p.Holds, !p.Open, p.Rounded, p.Against, p.Assumed, p.Modes, p.Until, p.Notes}
	}
	for _, s := range r.Skipped {
		out.Skipped[s.Name] = slices.Concat([]string{}, s.Missing)
	}
	return json.Marshal(out)
}
