package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"stopgrad/internal/ledger"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// Options are the options of [Run]. Seed, Depth and Properties decide what is found; the others do not.
type Options struct {
	Seed       uint64
	Depth      Depth
	Properties Properties // nil is NoProperties
	Workers    int        // at least 1
	// IDs are the claims to audit, in any order; nil is all of them.
	IDs []string
	// Sources is the digest of the claim texts, for the record; see Digest.
	Sources string
	// Finished holds the records of claims that an earlier run of the same audit finished, their words taken out.
	// Each word is said again by the certificate that the record names; a claim with a certificate missing, or that
	// establishes something else, is judged anew.
	Finished map[string]ledger.Claim
	// Certificate returns the content of a certificate file of the earlier run, by name.
	Certificate func(name string) ([]byte, error)
	// Keep, if not nil, takes the certificate files of a claim before the claim counts as finished. It is called by
	// one worker at a time.
	Keep func(name string, content []byte) error
	// OnClaim, if not nil, is called after each claim, by one worker at a time, with the ledger so far.
	OnClaim func(done, total int, id string, sofar func() *ledger.Ledger)
}

// Digest returns the digest of claim texts that a ledger records.
func Digest(sources []lang.Source) string {
	h := sha256.New()
	for _, s := range sources {
		// Lengths keep the end of one text from passing for the start of the next.
		fmt.Fprintf(h, "%d %d\n", len(s.Name), len(s.Text))
		io.WriteString(h, s.Name)
		io.WriteString(h, s.Text)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// UnknownError names a claim that there is not.
type UnknownError struct {
	ID string
}

// Error says that there is no such claim.
func (e *UnknownError) Error() string { return fmt.Sprintf("audit: there is no claim called %s", e.ID) }

// job is one part of one claim.
type job struct{ claim, part int }

// Run audits the claims and returns the ledger, its claims in the order of the file. If ctx ends first it
// returns the ledger of the claims finished by then, with Summary.Complete false, and the context's error. An
// unknown id is an [*UnknownError] and no ledger, and so is the [*lang.Error] of a property that nothing is called.
func Run(ctx context.Context, f *lang.File, o Options) (*ledger.Ledger, error) {
	if o.Properties == nil {
		o.Properties = NoProperties{}
	}
	claims, err := pick(f, o.IDs)
	if err != nil {
		return nil, err
	}
	for _, c := range claims {
		for _, p := range c.Parts {
			if p.Stmt.Kind != lang.Sampled {
				continue
			}
			if err := o.Properties.Check(p.Stmt.Property); err != nil {
				return nil, &lang.Error{Pos: p.Stmt.Pos, Msg: err.Error()}
			}
		}
	}
	r := &run{file: f, opts: o, claims: claims, start: time.Now(),
		found: make([][]finding, len(claims)), left: make([]int, len(claims)), records: make([]*ledger.Claim, len(claims))}
	queue := r.queue() // before the workers start, who share what it fills
	jobs := make(chan job)
	var wg sync.WaitGroup
	for range min(max(1, o.Workers), len(queue)) {
		wg.Go(func() {
			for j := range jobs {
				r.work(ctx, j)
			}
		})
	}
	for _, j := range queue {
		select {
		case jobs <- j:
		case <-ctx.Done():
		}
	}
	close(jobs)
	wg.Wait()
	if r.unkept != nil {
		return r.ledger(), r.unkept
	}
	return r.ledger(), ctx.Err()
}

func pick(f *lang.File, ids []string) ([]*lang.Claim, error) {
	if ids == nil {
		return f.Claims, nil
	}
	want := map[string]bool{}
	for _, id := range ids {
		if f.Claim(id) == nil {
			return nil, &UnknownError{id}
		}
		want[id] = true
	}
	var out []*lang.Claim
	for _, c := range f.Claims {
		if want[c.ID] {
			out = append(out, c)
		}
	}
	return out, nil
}

// run is an audit under way.
type run struct {
	file   *lang.File
	opts   Options
	claims []*lang.Claim
	start  time.Time

	mu      sync.Mutex
	found   [][]finding // by claim and part
	left    []int       // parts of each claim still to be judged
	records []*ledger.Claim
	done    int
	unkept  error // of Keep
}

// queue takes over the claims that are finished and lists the parts of the others: those in words first, since
// their samples are trajectories, and a long one at the end would keep the other workers waiting.
func (r *run) queue() []job {
	var words, formal []job
	for i, c := range r.claims {
		if done, ok := r.opts.Finished[c.ID]; ok {
			if rec, ok := restore(r.file, c, done, r.opts.Certificate); ok {
				r.records[i] = rec
				r.done++
				continue
			}
		}
		r.found[i], r.left[i] = make([]finding, len(c.Parts)), len(c.Parts)
		for k, p := range c.Parts {
			if p.Stmt.Kind == lang.Sampled {
				words = append(words, job{i, k})
			} else {
				formal = append(formal, job{i, k})
			}
		}
	}
	return append(words, formal...)
}

func (r *run) work(ctx context.Context, j job) {
	c := r.claims[j.claim]
	got := judge(ctx, r.file, c, c.Parts[j.part], r.opts)
	if ctx.Err() != nil {
		// A search that was cut short says less than its seed and depth promise.
		return
	}
	r.mu.Lock()
	r.found[j.claim][j.part] = got
	r.left[j.claim]--
	last := r.left[j.claim] == 0
	r.mu.Unlock()
	if last {
		r.finish(j.claim, c)
	}
}

// finish records a claim, once its certificates are kept.
func (r *run) finish(i int, c *lang.Claim) {
	rec := record(c, r.found[i])
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opts.Keep != nil {
		for _, f := range r.found[i] {
			for _, name := range slices.Sorted(maps.Keys(f.certificates)) {
				if err := r.opts.Keep(name, f.certificates[name]); err != nil {
					r.unkept = errors.Join(r.unkept, err)
					return
				}
			}
		}
	}
	r.records[i] = &rec
	r.done++
	if r.opts.OnClaim != nil {
		r.opts.OnClaim(r.done, len(r.claims), rec.ID, r.ledger)
	}
}

// ledger is the record of what is finished.
func (r *run) ledger() *ledger.Ledger {
	l := &ledger.Ledger{Schema: ledger.Schema, Seed: r.opts.Seed, Depth: r.opts.Depth.Name, Claims: []ledger.Claim{}}
	for _, c := range r.records {
		if c != nil {
			l.Claims = append(l.Claims, *c)
		}
	}
	l.Summarise()
	l.Summary.Complete = len(l.Claims) == len(r.claims)
	l.Summary.Sources = r.opts.Sources
	l.Summary.Seconds = time.Since(r.start).Seconds()
	return l
}

// record puts the findings about a claim's parts together, in the order of the file.
func record(c *lang.Claim, found []finding) ledger.Claim {
	statement := func(p *lang.Part) string {
		for i, q := range c.Parts {
			if q == p {
				return found[i].statement
			}
		}
		return ""
	}
	out := ledger.Claim{ID: c.ID, Where: c.Printed, Statement: readingStatement(c.Reading(false), statement),
		Evidence: []ledger.Evidence{}, Twins: []ledger.Twin{}}
	verdicts := map[bool][]verdict.Verdict{}
	for i, p := range c.Parts {
		verdicts[p.Corrected] = append(verdicts[p.Corrected], found[i].verdict)
		out.Evidence = append(out.Evidence, found[i].evidence...)
		out.Twins = append(out.Twins, found[i].twins...)
		out.Seconds += found[i].seconds
	}
	out.Verdict = word(verdict.Conjunction(verdicts[false]...))
	if ps := c.Reading(true); len(ps) > 0 {
		out.Corrected = &ledger.Reading{Statement: readingStatement(ps, statement), Verdict: word(verdict.Conjunction(verdicts[true]...))}
	}
	return out
}
