package training

import (
	"bytes"
	"context"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/linear"
)

// TestQuotedClaimsAreNeverObserved: the claims of a result are those of the theory; what the paper measured elsewhere is
// listed apart, and every id a check names is one or the other.
func TestQuotedClaimsAreNeverObserved(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	judge := func(id string, claims []string) {
		x := checked(linear.Result{ID: id, Claims: claims})
		for _, c := range x.Claims {
			if strings.HasPrefix(c, "emp-") || f.Claim(c) == nil {
				t.Errorf("%s bears on %q, which is no claim of the theory", id, c)
			}
		}
		for _, c := range x.Resembles {
			if !strings.HasPrefix(c, "emp-") {
				t.Errorf("%s resembles %q", id, c)
			}
		}
		if len(x.Claims)+len(x.Resembles) != len(claims) || len(x.Claims) == 0 {
			t.Errorf("%s: %v and %v of %v", id, x.Claims, x.Resembles, claims)
		}
	}
	for _, k := range linear.Checks() {
		judge(k.ID, k.Claims)
	}
	for _, k := range check.Checks() {
		judge(k.ID, k.Claims)
	}
	id := regexp.MustCompile(`^emp-[a-z-]+$`)
	for _, q := range quotations {
		if !id.MatchString(q.ID) || q.Claim == "" || q.Quoted == "" || q.Source == "" {
			t.Errorf("quotation %+v", q)
		}
	}
}

// TestAFailedGateIsNotObserved: a report with a failed result says so in its row and names the measurement.
func TestAFailedGateIsNotObserved(t *testing.T) {
	inf := linear.Number(math.Inf(1))
	r := &Report{Tier: string(check.Mini), Results: []Checked{
		checked(linear.Result{ID: "T2.x", Claims: []string{"nopred", "emp-wd"}, Gate: "zstd < .05", Measurements: []linear.Measurement{
			{Name: "good", Measured: 1, Low: 0, High: inf, Pass: true}, {Name: "bad", Measured: 7, Low: -inf, High: 0.05}}})}}
	var b bytes.Buffer
	if err := r.write(&Console{}, &b, false); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{NotObserved, "bad 7 ≤ 0.05", "(cf. emp-wd)", "0 of 1 checks observed"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if strings.Contains(text, "good") {
		t.Errorf("a measurement that holds hides the one that does not: %s", text)
	}
}

// TestTheTightestMeasurementIsShown: the one nearest its limit.
func TestTheTightestMeasurementIsShown(t *testing.T) {
	inf := linear.Number(math.Inf(1))
	got := measured([]linear.Measurement{
		{Name: "wide", Measured: 5, Low: 1, High: inf, Pass: true},
		{Name: "tight", Measured: 1.1, Low: 1, High: 2, Pass: true},
		{Name: "recorded only", Measured: 3, Low: -inf, High: inf, Pass: true},
		{Name: "count", Measured: 3, Low: 3, High: 3, Pass: true},
	})
	if got != "tight 1.1 in [1, 2] (tightest of 3)" {
		t.Error(got)
	}
}

func TestPlansTakeTheSeedsTheirTierWants(t *testing.T) {
	for _, c := range []struct {
		tier          check.Tier
		seeds         []uint64
		linear, other []uint64
	}{
		{check.Mini, nil, []uint64{1}, []uint64{1, 2}},
		{check.Mini, []uint64{7, 8}, []uint64{7}, []uint64{7, 8}},
		{check.Full, nil, []uint64{0, 1, 2, 3, 4}, []uint64{0, 1, 2, 3, 4}},
	} {
		p, err := newPlan([]check.Tier{c.tier}, "", engine.CPU, check.Options{}, nil, c.seeds, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.linearSeeds, c.linear) || !slices.Equal(p.seeds, c.other) || p.checks() != len(linear.Checks())+len(check.Checks()) {
			t.Errorf("%s %v: %v, %v, %d checks", c.tier, c.seeds, p.linearSeeds, p.seeds, p.checks())
		}
	}
}

// TestQuickObservesItsChecks runs the quick tier, which the audit includes.
func TestQuickObservesItsChecks(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred thousand steps of SGD: not with -short")
	}
	last := 0.
	rs, err := Quick(t.Context(), func(done, total float64, id string) {
		if done < last || done > total || id == "" {
			t.Errorf("progress %g of %g after %g at %q", done, total, last, id)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rs) != len(QuickChecks) {
		t.Fatalf("%d results", len(rs))
	}
	for i, r := range rs {
		if r.ID != QuickChecks[i] || r.Verdict != Observed || !r.Pass || len(r.Claims) == 0 || len(r.Measurements) == 0 {
			t.Errorf("%s: %s", r.ID, r.Verdict)
		}
		t.Logf("%s %.1f s", r.ID, r.Seconds)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if rs, err := Quick(ctx, nil); err == nil || len(rs) != 0 {
		t.Errorf("a cancelled tier has %d results and the error %v", len(rs), err)
	}
}

// TestACancelledRunSaysHowFarItGot: with the exit code for it, and no file.
func TestACancelledRunSaysHowFarItGot(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := t.TempDir()
	var stdout, stderr bytes.Buffer
	code := commandLine(ctx, []string{"trainingcheck", "run", "T1.balance", "T2.dpid", "--out", out}, &stdout, &stderr)
	if code != Interrupted || !strings.Contains(stderr.String(), "0 of 2 checks are finished") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
	if left, err := os.ReadDir(out); err != nil || len(left) != 0 {
		t.Errorf("%d files were left (%v)", len(left), err)
	}
}
