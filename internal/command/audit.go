package command

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"stopgrad/internal/audit"
	"stopgrad/internal/ledger"
	"stopgrad/internal/report"
	"stopgrad/internal/training"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

// properties samples the statements in words.
var properties audit.Properties = audit.Props{}

// search are the flags of every command that judges claims.
type search struct {
	Depth   string `default:"standard" enum:"quick,standard,deep" help:"How much to search: quick, standard or deep."`
	Seed    uint64 `default:"1" help:"Seed of every random choice."`
	Workers int    `default:"0" help:"Claims judged at a time; 0 is one per processor. Changes no result."`
	Out     string `placeholder:"DIR" help:"Folder for ledger.json and certificates. An audit cut short leaves ledger.partial.json there, and the same audit goes on from it."`
	JSON    bool   `name:"json" help:"Write the ledger as JSON instead of a table."`
}

type auditCommand struct {
	IDs []string `arg:"" optional:"" name:"id" help:"Claims to audit; all of them if none is named."`
	search
	Against  string `placeholder:"FILE" help:"Exit 1 and name what differs if a statement, a hypothesis or a verdict differs from this ledger's."`
	Training bool   `default:"true" negatable:"" help:"Include the quick tier of the training checks."`
}

// observe runs the training checks of the quick tier for the ledger of a whole audit.
func (a *auditCommand) observe(c *console) func(context.Context, *ledger.Ledger) error {
	if !a.Training || a.IDs != nil {
		return nil
	}
	return func(ctx context.Context, l *ledger.Ledger) error {
		bar := newProgress(c.stderr)
		defer bar.clear()
		results, err := training.Quick(ctx, func(done, total float64, id string) {
			const parts = 1000
			bar.show(int(parts*done/max(total, 1)), parts, id)
		})
		if err == nil {
			audit.Observe(l, results)
		}
		return err
	}
}

// Run audits the built-in claims.
func (a *auditCommand) Run(c *console) error {
	f, err := theory.Load()
	if err != nil {
		return err
	}
	sources, err := theory.Sources()
	if err != nil {
		return err
	}
	for _, id := range a.IDs {
		if f.Claim(id) == nil {
			return unknownClaim(id, f)
		}
	}
	var old *ledger.Ledger
	if a.Against != "" {
		old, err = input(c, a.Against, func() (*ledger.Ledger, error) {
			l, err := ledger.ReadFile(a.Against)
			if err != nil {
				return nil, badInput(err)
			}
			return l, nil
		})
		if err != nil {
			return err
		}
		if a.IDs != nil {
			old = old.Select(a.IDs)
		}
	}
	l, err := a.judge(c, f, sources, a.IDs, a.observe(c))
	if err != nil {
		return err
	}
	if old != nil {
		if changes := ledger.Compare(old, l); len(changes) > 0 {
			if err := report.Changes(c.stderr, changes); err != nil {
				return err
			}
			return &exit{Difference, fmt.Sprintf("%d entries differ from %s", len(changes), a.Against)}
		}
	}
	return defects(l)
}

// defects is an error if the suite has contradicted itself, or if a mutated twin is proved: then the check of
// its claim cannot fail. A twin that is merely undecided is left to the reader of the report.
func defects(l *ledger.Ledger) error {
	if cs := l.Summary.Contradictions; len(cs) > 0 {
		return &exit{Difference, fmt.Sprintf("CONTRADICTION: %s is proved and yet false, so the suite is in error", strings.Join(cs, ", "))}
	}
	for _, c := range l.Claims {
		for _, e := range c.Evidence {
			if e.Detail.Script != "" {
				return &exit{Difference, fmt.Sprintf("a proof script does not replay: %s", e.Detail.Script)}
			}
		}
		for _, t := range c.Twins {
			if t.Verdict == ledger.Proved {
				return &exit{Difference, fmt.Sprintf("the mutated twin of %s, %s, is proved: the check cannot fail", c.ID, t.Mutation)}
			}
		}
	}
	return nil
}

// judge runs an audit, shows its progress, lets observe (if not nil) add to the ledger, writes it to the folder
// and to standard output, and returns it. After Ctrl-C it writes what is finished and returns the error that says so.
func (s *search) judge(c *console, f *lang.File, sources []lang.Source, ids []string, observe func(context.Context, *ledger.Ledger) error) (*ledger.Ledger, error) {
	depth, err := audit.ParseDepth(s.Depth)
	if err != nil {
		return nil, badInput(err)
	}
	if s.Workers < 0 {
		return nil, &exit{BadInput, fmt.Sprintf("--workers=%d is negative", s.Workers)}
	}
	o := audit.Options{Seed: s.Seed, Depth: depth, Properties: properties, Workers: s.Workers, IDs: ids, Sources: audit.Digest(sources)}
	if o.Workers == 0 {
		o.Workers = runtime.NumCPU()
	}
	identity := ""
	if s.Out != "" {
		if err := ledger.PrepareFolder(s.Out); err != nil {
			return nil, badInput(err)
		}
		if identity, err = audit.Identity(o); err != nil {
			return nil, err
		}
		if o.Finished, err = audit.ReadPartial(s.Out, identity); err != nil {
			return nil, badInput(err)
		}
		asked := 0
		for id := range o.Finished {
			if ids == nil || slices.Contains(ids, id) {
				asked++
			}
		}
		if asked > 0 {
			fmt.Fprintf(c.stderr, "going on from %d claims finished earlier, their certificates read again\n", asked)
		}
		o.Certificate = func(name string) ([]byte, error) { return audit.ReadCertificate(s.Out, name) }
		o.Keep = func(name string, content []byte) error { return audit.KeepCertificate(s.Out, name, content) }
	}
	// A folder that becomes unwritable ends the audit rather than letting it run for nothing.
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	var unwritable error
	bar := newProgress(c.stderr)
	o.OnClaim = func(done, total int, id string, sofar func() *ledger.Ledger) {
		bar.show(done, total, id)
		if s.Out != "" && done < total && unwritable == nil {
			if unwritable = audit.WritePartial(s.Out, identity, sofar()); unwritable != nil {
				cancel()
			}
		}
	}
	total := len(ids)
	if ids == nil {
		total = len(f.Claims)
	}
	bar.show(0, total, "")
	l, err := audit.Run(ctx, f, o)
	bar.clear()
	if l == nil {
		return nil, badInput(err)
	}
	if unwritable != nil {
		return nil, badInput(unwritable)
	}
	if err != nil && ctx.Err() == nil {
		return nil, badInput(err)
	}
	if err == nil && observe != nil {
		if err = observe(ctx, l); err != nil && ctx.Err() == nil {
			return nil, err
		}
	}
	cut := err != nil
	if s.Out != "" && !cut {
		if err := audit.WriteFinal(s.Out, identity, l); err != nil {
			return nil, badInput(err)
		}
	}
	if err := c.write(func(w io.Writer) error {
		if !s.JSON {
			return report.Audit(w, l, c.page())
		}
		data, err := l.Encode()
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}); err != nil {
		return nil, err
	}
	if cut {
		hint := "run it with --out to be able to go on from there"
		if s.Out != "" {
			hint = "the same command goes on from there"
		}
		return nil, interrupted("%d claims are finished; %s", len(l.Claims), hint)
	}
	return l, nil
}
