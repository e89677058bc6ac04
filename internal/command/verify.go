package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"stopgrad/theory"
	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

type verifyCommand struct {
	Paths  []string `arg:"" name:"dir-or-file" help:"Certificates, or folders of them (--out of audit and check)."`
	Full   bool     `help:"Print the whole sequent: symbols, equations and hypotheses too."`
	Claims string   `placeholder:"FILE" help:"Say which claims of this file each certificate establishes, and which have none; \"paper\" for the built-in claims."`
}

// Help describes what the flags cannot.
func (*verifyCommand) Help() string {
	return `Every step of a certificate is made again by the kernel, every box of a region by the checker of regions, every
counterexample by the model, every motion by validated integration; what a file says of itself is not believed. A line for
each file: what it establishes. Exit 0: all hold; 1: one is refused.`
}

// Run reads certificates again.
func (k *verifyCommand) Run(c *console) error {
	files, err := certificates(k.Paths)
	if err != nil {
		return err
	}
	var parts *established
	if k.Claims != "" {
		if parts, err = claimsToEstablish(c, k.Claims); err != nil {
			return err
		}
	}
	refused, size := 0, 0
	for _, path := range files {
		if c.ctx.Err() != nil {
			return interrupted("%s was not reached", onOneLine(path))
		}
		cert, err := input(c, path, func() (*certificate.Certificate, error) { return readCertificate(path) })
		if c.ctx.Err() != nil {
			return interrupted("%s is not verified", onOneLine(path))
		}
		text := ""
		if err == nil {
			text, err = said(cert, k.Full)
		}
		switch {
		case err != nil:
			// A theorem that is too long to be printed is refused too: nobody could say what it establishes.
			refused++
			text = "REFUSED: " + strings.TrimPrefix(err.Error(), "certificate: ")
		default:
			size += cert.Bytes()
			if parts != nil {
				text += parts.by(cert)
			}
		}
		if err := c.write(func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s: %s\n", onOneLine(path), text)
			return err
		}); err != nil {
			return err
		}
	}
	if err := c.write(func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d of %d certificates hold; %d bytes\n", len(files)-refused, len(files), size)
		if err == nil && parts != nil {
			err = parts.summary(w)
		}
		return err
	}); err != nil {
		return err
	}
	if refused > 0 {
		return &exit{Difference, fmt.Sprintf("%d of %d certificates are refused", refused, len(files))}
	}
	return nil
}

// certificates lists the files named, and those below the folders named.
func certificates(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, badInput(err)
		}
		if info.Mode().IsRegular() {
			files = append(files, p)
			continue
		}
		if !info.IsDir() {
			// A pipe may never end, nor open.
			return nil, &exit{BadInput, fmt.Sprintf("%s is no regular file", p)}
		}
		n := len(files)
		// With the separator a link to a folder is followed, as a link to a file is.
		err = filepath.WalkDir(p+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".cert") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, badInput(named(err))
		}
		if len(files) == n {
			return nil, &exit{BadInput, fmt.Sprintf("there is no certificate (*.cert) below %s", p)}
		}
	}
	return files, nil
}

// onOneLine is a file's name, quoted if it has characters that a terminal obeys: a name must not look like a line of
// verify's own.
func onOneLine(path string) string {
	// A byte that is no text may be an escape of a terminal of eight bits.
	if !utf8.ValidString(path) || strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.Contains(path, ": ") {
		return strconv.Quote(path)
	}
	return path
}

// named is an error of the file system with its file's name on one line.
func named(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return &fs.PathError{Op: p.Op, Path: onOneLine(p.Path), Err: p.Err}
	}
	return err
}

func readCertificate(path string) (*certificate.Certificate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, named(err)
	}
	defer f.Close()
	cert, err := certificate.Read(f)
	return cert, named(err)
}

// said renders what a certificate establishes, with the whole sequent if full.
func said(c *certificate.Certificate, full bool) (string, error) {
	if msg := c.IllFormed(); msg != "" {
		return "ill-formed (this reason is not derived again): " + msg, nil
	}
	// A line has no room for what an abbreviation stands for, so that it has none.
	p := kernel.NewPrinter()
	for _, n := range c.Names() {
		if !full {
			break
		}
		if err := p.Abbreviate(n.Name, n.Term); err != nil {
			return "", err
		}
	}
	var ctx *kernel.Context
	var goals []kernel.Formula
	word, rest := "proved", ""
	switch x := c.Counterexample(); {
	case x.Valid():
		ctx, goals, word, rest = x.Context(), []kernel.Formula{x.Formula()}, "refuted", "; at "+x.State().String()+": "+x.Reason()
	case c.Trajectory().Valid():
		x := c.Trajectory()
		ctx, goals, word, rest = x.Context(), []kernel.Formula{x.Formula()}, "refuted", "; along the motion from "+x.State().String()+": "+x.Reason()
	case c.Vacuous().Valid():
		ctx, goals, word = c.Vacuous().Context(), []kernel.Formula{c.Vacuous().Formula()}, "vacuous"
	case len(c.Certified()) > 0:
		var boxes int
		ctx, goals, boxes = certified(c.Certified())
		word, rest = "certified", fmt.Sprintf("; at every point that the hypotheses leave, by %d boxes", boxes)
	case len(c.Outcomes()) > 0:
		var boxes int
		ctx, goals, boxes = certified(c.Outcomes())
		word, rest = "certified", fmt.Sprintf("; along all motions from where the hypotheses leave them, by %d boxes", boxes)
	default:
		for _, g := range c.Goals() {
			ctx, goals = g.Context(), append(goals, g.Formula())
		}
	}
	if full {
		text, err := p.Sequent(ctx, goals...)
		return word + rest + "\n" + text, err
	}
	var texts []string
	for _, g := range goals {
		text, err := p.Formula(ctx.Time(), g)
		if err != nil {
			return "", err
		}
		texts = append(texts, text)
	}
	// What holds under hypotheses does not hold without them: 1 == 2 follows from an absurd one.
	switch k := len(ctx.Hypotheses()); k {
	case 0:
	case 1:
		word += " under 1 hypothesis"
	default:
		word += fmt.Sprintf(" under %d hypotheses", k)
	}
	return word + ": " + strings.Join(texts, " and ") + rest, nil
}

// established notes which parts of a claim file certificates establish.
type established struct {
	parts    []*lang.Part
	sequents []*verdict.Sequents // nil of a part without meaning
	names    []string
	done     []verdict.Verdict
}

func claimsToEstablish(con *console, file string) (*established, error) {
	f, err := theory.Load()
	if err != nil {
		return nil, err
	}
	if file != "paper" {
		if f, _, err = ownClaims(con, file); err != nil {
			return nil, err
		}
	}
	e := &established{}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Stmt == nil || p.Stmt.Kind != lang.Sampled {
				s, err := verdict.SequentsOf(p)
				if err != nil && p.Fault == nil {
					return nil, badInput(err)
				}
				e.parts, e.names, e.sequents = append(e.parts, p), append(e.names, c.ID+"/"+p.Name), append(e.sequents, s)
			}
		}
	}
	e.done = make([]verdict.Verdict, len(e.parts))
	return e, nil
}

// by compares the sequent of a certificate with those of all parts.
func (e *established) by(c *certificate.Certificate) string {
	var hits []string
	for i, p := range e.parts {
		var v verdict.Verdict
		var err error
		if s := e.sequents[i]; s != nil {
			v, err = s.Verdict(c)
		} else {
			v, err = verdict.OfCertificate(p, c)
		}
		if err == nil && v.IsDecided() {
			e.done[i] = verdict.Together(e.done[i], v)
			hits = append(hits, e.names[i]+" "+v.String())
		}
	}
	if len(hits) == 0 {
		return "\n  no claim of the file states this"
	}
	return "\n  " + strings.Join(hits, ", ")
}

func (e *established) summary(w io.Writer) error {
	var none []string
	for i, d := range e.done {
		if !d.IsDecided() {
			none = append(none, e.names[i])
		}
	}
	text := "every statement of the file has a certificate"
	if len(none) > 0 {
		text = fmt.Sprintf("without a certificate: %s", strings.Join(none, ", "))
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// ownClaims reads a user's claim file together with the built-in systems, over the built-in claims.
func ownClaims(c *console, path string) (*lang.File, []lang.Source, error) {
	text, err := input(c, path, func() ([]byte, error) { return claimText(path) })
	if err != nil {
		return nil, nil, err
	}
	builtin, err := theory.Sources()
	if err != nil {
		return nil, nil, err
	}
	var sources []lang.Source
	for _, s := range builtin {
		sources = append(sources, lang.Source{Name: s.Name, Text: systemsOnly(s.Text)})
	}
	sources = append(sources, lang.Source{Name: path, Text: strings.TrimPrefix(string(text), "\ufeff")})
	library, err := theory.Load()
	if err != nil {
		return nil, nil, err
	}
	f, err := lang.ParseOver(library, sources...)
	if err == nil {
		err = theory.Validate(f)
	}
	if err != nil {
		return nil, nil, badInput(err)
	}
	if len(f.Claims) == 0 {
		return nil, nil, &exit{BadInput, fmt.Sprintf("%s:1:1: no claim in this file; expected ‘claim ID’ at the left margin", path)}
	}
	return f, sources, nil
}

// certified is the one context of certified sequents, what they state, and of how many boxes their arguments are.
func certified[T interface {
	Context() *kernel.Context
	Formula() kernel.Formula
	Leaves() int
}](all []T) (ctx *kernel.Context, goals []kernel.Formula, boxes int) {
	for _, x := range all {
		ctx, goals, boxes = x.Context(), append(goals, x.Formula()), boxes+x.Leaves()
	}
	return ctx, goals, boxes
}

// maxClaimBytes bounds a claim file.
const maxClaimBytes = 16 << 20

func claimText(path string) ([]byte, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &exit{BadInput, fmt.Sprintf("there is no claim file %s", path)}
	case err != nil:
		return nil, badInput(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxClaimBytes+1))
	switch {
	case err != nil:
		return nil, badInput(err)
	case len(text) > maxClaimBytes:
		return nil, &exit{BadInput, fmt.Sprintf("%s is larger than %d bytes, too large for a claim file", path, maxClaimBytes)}
	}
	return text, nil
}
