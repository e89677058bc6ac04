package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"stopgrad/fuzz/campaign"
	"stopgrad/fuzz/certify"
	"stopgrad/internal/audit"
	"stopgrad/internal/ledger"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

type certifyCommand struct {
	Target  string        `arg:"" name:"id-or-file" help:"Claim, or a claim file of your own."`
	Part    string        `placeholder:"NAME" help:"This statement only; by default those with a region, or all of them with --region."`
	Region  string        `placeholder:"BOUNDS" help:"More bounds, as in a claim file: \"eta in [0, 1/4), sigma2 in [0, inf), n = 2\"."`
	Budget  time.Duration `default:"5m" help:"How long to search for one statement."`
	Nodes   int           `default:"400000" help:"How many boxes to look at for one formula. What is found depends on it alone, unless the budget runs out."`
	Workers int           `default:"0" help:"Tiles searched at a time; 0 is one per processor. Changes no result."`
	Store   string        `placeholder:"DIR" help:"Folder that keeps finished tiles, so that a search can be interrupted and resumed."`
	Out     string        `placeholder:"CERT" help:"File for the certificate, of several statements a folder."`
	Boxes   bool          `help:"Do not try to prove the statements before searching boxes."`
}

// Help describes what the flags cannot.
func (*certifyCommand) Help() string {
	return `Says of a statement that it is proved, certified at every point of its region, refuted at a point of it, or undecided,
with the share of the region that is left and its boxes. verify reads the certificate again. Exit 0: proved or certified;
1: otherwise.`
}

// Run certifies statements over regions.
func (k *certifyCommand) Run(c *console) error {
	if k.Budget <= 0 || k.Nodes <= 0 {
		return &exit{BadInput, "--budget and --nodes are positive"}
	}
	file, claims, err := k.claims(c)
	if err != nil {
		return err
	}
	type job struct {
		claim *lang.Claim
		part  *lang.Part
	}
	var jobs []job
	for _, cl := range claims {
		for _, p := range cl.Parts {
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled || k.Part != "" && k.Part != p.Name || k.Part == "" && k.Region == "" && !p.Region {
				continue
			}
			if k.Region != "" {
				if p, err = file.Over(cl, p, k.Region); err != nil {
					return badInput(fmt.Errorf("--region: %w", err))
				}
			}
			jobs = append(jobs, job{cl, p})
		}
	}
	switch {
	case len(jobs) == 0 && k.Part != "":
		return &exit{BadInput, fmt.Sprintf("%s has no formal statement called %s", k.Target, k.Part)}
	case len(jobs) == 0:
		return &exit{BadInput, fmt.Sprintf("%s states nothing over a region; --region gives one", k.Target)}
	}
	o := certify.Options{Nodes: k.Nodes, Workers: k.Workers}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if k.Store != "" {
		store, err := campaign.OpenResults(k.Store)
		if err != nil {
			return badInput(err)
		}
		defer store.Close()
		o.Results = store
	}
	if err := k.place(len(jobs) > 1); err != nil {
		return err
	}
	fallen := 0
	for _, j := range jobs {
		ctx, cancel := context.WithTimeout(c.ctx, k.Budget)
		defer cancel()
		bar, start := newProgress(c.stderr), time.Now()
		o.Progress = func(share float64, open int) {
			eta := ""
			if share > 0.01 && share < 1 {
				left := time.Duration(float64(time.Since(start)) * (1 - share) / share).Round(time.Second)
				eta = fmt.Sprintf(", about %v left", left)
			}
			bar.show(int(1000*share), 1000, fmt.Sprintf("%s/%s: %d boxes open%s", j.claim.ID, j.part.Name, open, eta))
		}
		settle := certify.Part
		if k.Boxes {
			settle = certify.Region
		}
		out, err := settle(ctx, j.part, o)
		bar.clear()
		if c.ctx.Err() != nil {
			return interrupted("%s/%s is not decided; with --store the same command goes on from here", j.claim.ID, j.part.Name)
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return badInput(fmt.Errorf("%s/%s: %w", j.claim.ID, j.part.Name, err))
		}
		text, name := out.Say(), j.claim.ID+"/"+j.part.Name
		if !out.Verdict.IsProved() && !out.Verdict.IsCertified() {
			fallen++
		}
		if !out.Verdict.IsDecided() && ctx.Err() == nil {
			if near := k.shrunk(ctx, file, j.claim, j.part, out, o, settle); near != nil {
				out, text = near.Outcome, text+"\n  "+near.text
			}
		}
		if err := k.keep(out, j.claim, j.part, len(jobs) > 1); err != nil {
			return err
		}
		if err := c.write(func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s: %s\n", name, text)
			return err
		}); err != nil {
			return err
		}
	}
	if fallen > 0 {
		return &exit{Difference, fmt.Sprintf("%d of %d statements are not certified as they stand", fallen, len(jobs))}
	}
	return nil
}

// claims are those of the target.
func (k *certifyCommand) claims(c *console) (*lang.File, []*lang.Claim, error) {
	f, err := theory.Load()
	if err != nil {
		return nil, nil, err
	}
	if cl := f.Claim(k.Target); cl != nil {
		return f, []*lang.Claim{cl}, nil
	}
	if _, err := os.Stat(k.Target); err != nil {
		return nil, nil, unknownClaim(k.Target, f)
	}
	own, _, err := ownClaims(c, k.Target)
	if err != nil {
		return nil, nil, err
	}
	return own, own.Claims, nil
}

// place checks that certificates can be written where they are to go, so that nothing is searched for in vain.
func (k *certifyCommand) place(several bool) error {
	if k.Out == "" {
		return nil
	}
	folder := k.Out
	if !several {
		if info, err := os.Stat(k.Out); err == nil && info.IsDir() {
			return &exit{BadInput, fmt.Sprintf("--out=%s is a folder; the certificate of a single statement is a file", k.Out)}
		}
		folder = filepath.Dir(k.Out)
	}
	if err := ledger.PrepareFolder(folder); err != nil {
		return badInput(err)
	}
	return nil
}

// keep writes the certificate.
func (k *certifyCommand) keep(out *certify.Outcome, cl *lang.Claim, p *lang.Part, several bool) error {
	if k.Out == "" {
		return nil
	}
	text, err := out.Certificate(cl.ID)
	if err != nil || text == nil {
		return err
	}
	path := k.Out
	if several {
		path = filepath.Join(k.Out, audit.FileWord(cl.ID)+"."+audit.FileWord(p.Name)+".cert")
	}
	if err := campaign.WriteFile(path, text); err != nil {
		return badInput(err)
	}
	return nil
}

// near is what holds up to a distance from an end of a coordinate.
type near struct {
	*certify.Outcome
	text string
}

// shrunk certifies what is left of the region without a slab that all open boxes lie in, if there is one.
func (k *certifyCommand) shrunk(ctx context.Context, f *lang.File, cl *lang.Claim, p *lang.Part, out *certify.Outcome, o certify.Options,
	settle func(context.Context, *lang.Part, certify.Options) (*certify.Outcome, error)) *near {
	slab, ok := out.Slab()
	var best *near
	// Thinner slabs, too: the boxes that were left are larger than what they could not decide.
	for range 4 {
		if !ok {
			break
		}
		less, err := f.Over(cl, p, slab.Bounds())
		if err != nil {
			break
		}
		found, err := settle(ctx, less, o)
		if err != nil || !found.Verdict.IsProved() && !found.Verdict.IsCertified() {
			break
		}
		d, _ := slab.Width.Float64()
		best = &near{found, fmt.Sprintf("%s up to distance %.3g from %s = %s: at its points with %s", found.Verdict, d, slab.Name, slab.End.RatString(), slab.Bounds())}
		slab.Width = new(big.Rat).Mul(slab.Width, big.NewRat(1, 8))
	}
	return best
}
