package grow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"stopgrad/fuzz/grow"
	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/prove"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

const claimFile = "fuzz.claim"

// The bounds of one grown claim: the work of the kernel, see [kernel.Signature.Limit]; applications of rules, and with them
// the prover's own arithmetic, see [prove.Options]; states at which theorems are tried, and the work of each, see
// [model.State.Within]. One claim in sixteen is searched for a proof, with more. Long attempts take most of the time and
// come to little: one claim in sixteen has patience times as much, and those of a form of which nothing shorter is proved.
const (
	scriptWork, searchWork   = 400, 1_000
	scriptSteps, searchSteps = 15, 30
	patience                 = 3
	grownStates              = 2
	stateWork                = 4_000
)

var patient = map[string]bool{"assumption": true, "decays": true, "tends": true, "vanishes": true}

// grownClaim is what became of a claim that was grown from a tape.
type grownClaim struct {
	text, form string
	part       *lang.Part
	reading    *lang.Reading
	proof      *prove.Outcome
	states     []*model.State
}

// growClaim grows a claim from a tape, reads it and tries to prove it. An error is a failure of the project; a claim that
// is a mistake comes back without a reading.
func growClaim(program []byte) (*grownClaim, error) {
	c := &grownClaim{}
	c.text, c.form = grow.Claim(program)
	f, err := lang.Parse(lang.Source{Name: claimFile, Text: c.text})
	if err != nil {
		return c, grow.Located(err, claimFile, c.text)
	}
	c.part = f.Claims[0].Parts[0]
	r, err := lang.Elaborate(c.part)
	if err != nil {
		return c, grow.Located(err, claimFile, c.text)
	}
	c.reading = r
	h := fnv.New64a()
	h.Write(program)
	o, work := prove.Options{Steps: scriptSteps}, scriptWork
	// By the tape as a whole: what a choice on it decides would be mutated into most of a corpus.
	if h.Sum64()%16 == 1 {
		o, work = prove.Options{Search: true, Steps: searchSteps}, searchWork
	}
	if patient[strings.Fields(c.form)[0]] || h.Sum64()%16 == 0 {
		o.Steps, work = patience*o.Steps, patience*work
	}
	r.Context().Signature().Limit(work)
	c.proof = prove.Prove(context.Background(), r, o)
	// What is held against the proof has as much again.
	r.Context().Signature().Limit(work)
	ch := sample.NewStream(h.Sum64(), "grown")
	for range grownStates {
		w, err := sample.Draw(ch, c.part, 2)
		if err != nil {
			continue
		}
		st, err := verdict.StateOf(r, w)
		if err != nil {
			return c, err
		}
		c.states = append(c.states, st.Within(stateWork))
	}
	return c, nil
}

// theorems lists everything that the proof came to, with what it rests on.
func (c *grownClaim) theorems() (all []kernel.Theorem) {
	seen := map[kernel.Theorem]bool{}
	var visit func(th kernel.Theorem)
	visit = func(th kernel.Theorem) {
		if !th.Valid() || seen[th] {
			return
		}
		seen[th] = true
		for _, x := range append(th.Premises(), th.Needs()...) {
			visit(x)
		}
		all = append(all, th)
	}
	for _, th := range append(append(c.proof.Theorems(), c.proof.Consequence()...), c.proof.Vacuous()) {
		visit(th)
	}
	return all
}

// holed reports whether a theorem speaks of holes, of which a state has no values.
func holed(th kernel.Theorem) bool {
	seen := map[*kernel.Term]bool{}
	var visit func(t *kernel.Term) bool
	visit = func(t *kernel.Term) bool {
		if seen[t] {
			return false
		}
		seen[t] = true
		if y := t.Symbol(); y != nil && y.Class() == kernel.Hole {
			return true
		}
		for _, x := range t.Args() {
			if visit(x) {
				return true
			}
		}
		return false
	}
	for _, t := range append(th.Formula().Terms(), th.Formula().Inner().Terms()...) {
		if visit(t) {
			return true
		}
	}
	for _, h := range th.Context().Hypotheses() {
		for _, t := range h.Formula().Terms() {
			if visit(t) {
				return true
			}
		}
	}
	return false
}

// contradicted returns an error if a state refutes a theorem, or if a term of it has no value where all hypotheses hold.
func contradicted(th kernel.Theorem, states []*model.State, keeps []kernel.Theorem) error {
	for _, st := range states {
		x, err := model.Refute(th.Context(), th.Formula(), st, keeps...)
		var none *model.NoValue
		if err == nil {
			return fmt.Errorf("a theorem by %s is refuted at %s: %s", th.Rule(), st, x.Reason())
		}
		if errors.As(err, &none) && th.Context().Time() == kernel.AtState {
			return fmt.Errorf("a theorem by %s has no value at %s: %v", th.Rule(), st, err)
		}
	}
	return nil
}

// checkGrown grows a claim and holds everything proved on the way against the model, and its certificate against the reader.
func checkGrown(program []byte) (*grownClaim, error) {
	c, err := growClaim(program)
	if err == nil && c.reading != nil {
		err = c.check()
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, c.text)
	}
	return c, err
}

func (c *grownClaim) check() error {
	all := c.theorems()
	var keeps []kernel.Theorem
	for _, th := range all {
		if th.Context().Time() == kernel.Motion && th.Formula().Form() == kernel.Always {
			keeps = append(keeps, th)
		}
	}
	for _, th := range all {
		if holed(th) {
			continue
		}
		if err := contradicted(th, c.states, keeps); err != nil {
			said, _ := c.reading.Say(th.Formula())
			return fmt.Errorf("%w\nit says %s", err, said)
		}
	}
	for _, g := range c.reading.Goals() {
		for _, st := range c.states[:min(1, len(c.states))] {
			// What is not proved may fail or not; that the model says so without a panic is all that is asked.
			_, _ = model.Refute(c.reading.Context(), g, st, keeps...)
		}
	}
	goals := c.proof.Theorems()
	if len(goals) == 0 {
		return nil
	}
	written, err := certificate.Proof(certificate.Label{Claim: "grown", Part: "it", Reading: "printed"}, nil, nil, goals...)
	if err != nil {
		return err
	}
	read, err := certificate.Read(bytes.NewReader(written))
	if err != nil {
		return fmt.Errorf("the certificate is refused: %w", err)
	}
	var fs []kernel.Formula
	for _, g := range goals {
		fs = append(fs, g.Formula())
	}
	if read.Sequent() != certificate.Sequent(goals[0].Context(), fs...) {
		return errors.New("the certificate establishes another sequent")
	}
	return nil
}

// FuzzGrownClaims: whatever claim and script are written, nothing panics, nothing goes on for ever, every mistake has a
// place, and no exact state refutes what is proved. The bounds are on work, not on time. Run it with
//
//	go test ./fuzz/grow -run '^$' -fuzz '^FuzzGrownClaims$' -fuzztime 10m -fuzzminimizetime 10x
func FuzzGrownClaims(f *testing.F) {
	// Terms live as long as their claim: what a collection finds in between is little.
	debug.SetGCPercent(400)
	ch := sample.NewStream(1, "FuzzGrownClaims")
	for range 400 {
		f.Add(randomTape(ch))
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 256 {
			return
		}
		if _, err := checkGrown(program); err != nil {
			t.Error(err)
		}
	})
}

func randomTape(ch *sample.Stream) []byte {
	program := make([]byte, 96)
	for i := range program {
		program[i] = byte(ch.Intn(256))
	}
	return program
}

// The grown claims are not empty: of each form some are proved, and some that are not proved are refuted at the states that
// theorems are tried at, so that a wrong theorem of that form would be seen.
func TestGrownClaimsReachEveryForm(t *testing.T) {
	programs := 4_000
	if testing.Short() {
		programs = 500
	}
	forms := map[string]*struct{ grown, read, proved, refuted int }{}
	ch := sample.NewStream(2, "FuzzGrownClaims")
	for range programs {
		program := randomTape(ch)
		c, err := checkGrown(program)
		if err != nil {
			t.Fatalf("%v\ntape %q", err, program)
		}
		form := strings.Fields(c.form)[0]
		n := forms[form]
		if n == nil {
			n = new(struct{ grown, read, proved, refuted int })
			forms[form] = n
		}
		if n.grown++; c.reading == nil {
			continue
		}
		n.read++
		if len(c.proof.Theorems()) > 0 {
			n.proved++
			continue
		}
		for _, st := range c.states {
			if _, err := model.Refute(c.reading.Context(), c.reading.Goals()[0], st); err == nil {
				n.refuted++
				break
			}
		}
	}
	for _, form := range slices.Sorted(maps.Keys(forms)) {
		n := forms[form]
		// A form of which nothing is proved, or nothing refuted, would be tried in vain.
		if !testing.Short() && (n.proved == 0 || n.refuted == 0) && form != "absurd" {
			t.Errorf("of %d claims %q %d are proved and %d refuted", n.read, form, n.proved, n.refuted)
		}
		t.Logf("%-16s %5d grown, %5d read, %4d proved, %4d refuted", form, n.grown, n.read, n.proved, n.refuted)
	}
}
