package audit

import (
	"encoding/json"
	"math"
	"testing"

	"stopgrad/internal/ledger"
	"stopgrad/internal/training"
	"stopgrad/trainingcheck/linear"
)

// TestObservationsChangeNoVerdict adds an observation to a proved and to a refuted claim.
func TestObservationsChangeNoVerdict(t *testing.T) {
	l := &ledger.Ledger{Schema: ledger.Schema, Claims: []ledger.Claim{
		{ID: "a", Verdict: ledger.Proved},
		{ID: "b", Verdict: ledger.Refuted, Corrected: &ledger.Reading{Verdict: ledger.Proved}},
		{ID: "c", Verdict: ledger.Undecided},
	}}
	measured := []linear.Measurement{{Name: "m", Measured: 2}, {Name: "lost", Measured: linear.Number(math.NaN())}}
	Observe(l, []training.Checked{{Result: linear.Result{ID: "T", Claims: []string{"a", "b", "elsewhere"}, Measurements: measured, Pass: false}}})
	for i, want := range []ledger.Verdict{ledger.Proved, ledger.Refuted, ledger.Undecided} {
		if got := l.Claims[i].Verdict; got != want {
			t.Errorf("claim %s is now %s", l.Claims[i].ID, got)
		}
	}
	if n := len(l.Claims[2].Evidence); n != 0 {
		t.Errorf("a claim the check does not bear on got %d pieces of evidence", n)
	}
	for i, reading := range []string{"printed", "corrected"} {
		e := l.Claims[i].Evidence
		if len(e) != 1 || e[0].Kind != ledger.Training || e[0].Verdict != ledger.NotObserved || e[0].Detail.Reading != reading || e[0].Detail.Measures["m"] != 2 {
			t.Errorf("claim %s: evidence %+v", l.Claims[i].ID, e)
		}
	}
	if _, err := json.Marshal(l); err != nil {
		t.Errorf("a measure that is no number spoils the ledger: %v", err)
	}
}
