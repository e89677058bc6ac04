package training

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/linear"
	"stopgrad/trainingcheck/recorder"
)

// Quotation is an empirical claim of the paper, with the numbers printed there. Whether it holds is said by a [Held]
// alone, of runs on a GPU.
type Quotation struct {
	ID     string `json:"id"`
	Claim  string `json:"claim"`
	Quoted string `json:"quoted"`
	Source string `json:"source"`
}

// quotations are top-1 accuracies in percent, mean ± deviation over five seeds unless they say otherwise.
// The source is Y. Tian, X. Chen, S. Ganguli, ICML 2021 (arXiv 2102.06810).
var quotations = []Quotation{
	{"emp-imagenet", "DirectPred on ImageNet is comparable with a 2-layer predictor and beats a linear one",
		"60 epochs: 2-layer 64.7, linear 59.4, DirectPred 64.4; 300 epochs: 72.5, 69.9, 72.4; single runs", "abstract; ImageNet table"},
	{"emp-stl-cifar", "DirectPred beats a trained linear predictor on STL-10 and CIFAR-10",
		"100/300/500 epochs, STL-10: DirectPred 77.86±.16/78.77±.97/78.86±1.15, trained 75.06±.52/75.25±.74/75.25±.74; " +
			"CIFAR-10: 85.21±.23/88.88±.15/89.52±.04, trained 84.49±.20/88.57±.15/89.33±.27", "Table 8"},
	{"emp-sym", "a symmetric predictor needs the average target",
		"STL-10, symmetric/regular: linear with average 75.09±.48/74.51±.47, without 36.62±1.85/72.85±.16; " +
			"2-layer with average 71.58±6.46/78.85±.25, without 35.59±2.10/65.98±.71", "Table 3"},
	{"emp-optimal", "setting the predictor to its optimum every step does badly",
		"every 1/2/3/5 steps, with average 40.67±.50/35.29±2.49/34.60±.98/35.63±2.66, without 39.45±1.26/34.01±1.54/34.58±2.93/32.22±2.94", "Table 1"},
	{"emp-wd", "without weight decay the result is worse",
		"STL-10, no decay: with average 70.62±1.05, without 71.36±.44, against 74.51±.47 with decay", "Tables 2 and 5"},
	{"emp-eps-rho", "DirectPred needs a small ε",
		"ε = 0/.01/.1/.5: ρ = .3 76.77±.24/77.11±.35/77.86±.16/75.06±1.10; ρ = .5 76.65±.20/76.76±.33/77.56±.25/75.22±.81", "Table 6"},
	{"emp-cj", "constants in place of the balance of p and s can ruin the training",
		"c = .1/.05/−.05/−.1: every step 46.57±18.43/65.31±18.22/77.11±.66/76.46±.55", "Table 7"},
	{"emp-align-sym", "on STL-10 the predictor becomes symmetric and shares its eigenvectors with F",
		"a figure: over 100 epochs the cosines tend to 1 and the eigenvalues split into growing and shrinking ones", "Figure 2"},
	{"emp-alphap", "a faster predictor makes a symmetric one without average work",
		"a figure; its numbers are not in the text", "Figure 6"},
}

// Held is a quoted claim held against runs on images such as the paper's.
type Held struct {
	ID       string `json:"id"`
	Check    string `json:"check"`
	Verdict  string `json:"verdict"` // Observed or NotObserved
	Measured string `json:"measured"`
	Differs  string `json:"differs"` // how the runs differ from the paper's
	Source   string `json:"source"`  // goldens, or the run
}

// held is what a result of tier gpu says about the quoted claims of its check.
func held(k check.Check, x linear.Result, source string) []Held {
	_, quoted := split(k.Claims)
	var numbers []string
	for _, m := range x.Measurements {
		numbers = append(numbers, strings.TrimSpace(fmt.Sprintf("%s %.4g %s", m.Name, float64(m.Measured), limits(m))))
	}
	var out []Held
	for _, id := range quoted {
		out = append(out, Held{id, k.ID, word(x.Pass), strings.Join(numbers, "; "), k.Differs, source})
	}
	return out
}

// heldIn judges the quoted claims by the goldens of a folder: those of tier gpu, on images other than the digits, where
// every arm of a check is recorded on the same seeds. A claim without them is not in the list.
func heldIn(fsys fs.FS) ([]Held, error) {
	var out []Held
	for _, t := range slices.Concat(check.Groups(check.GPU), check.Groups(check.Images)) {
		for _, k := range check.Of(t) {
			if _, quoted := split(k.Claims); len(quoted) == 0 {
				continue
			}
			for _, backend := range engine.Kinds {
				runs, source, err := recorded(fsys, t, backend, k.Arms)
				if err != nil {
					return nil, err
				}
				if runs != nil {
					out = append(out, held(k, k.Judge(t, runs), source)...)
				}
			}
		}
	}
	return out, nil
}

// recorded returns the outcomes of arms, nil unless all are recorded on the same images and seeds.
func recorded(fsys fs.FS, t check.Tier, backend string, arms []check.Arm) (map[check.Arm][]*check.Outcome, string, error) {
	runs := map[check.Arm][]*check.Outcome{}
	var first *golden.Golden
	for _, a := range arms {
		file := recorder.ID(t, backend, a) + ".json"
		text, err := fs.ReadFile(fsys, file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, "", nil
		}
		if err != nil {
			return nil, "", fmt.Errorf("training: %w", err)
		}
		g, err := golden.Decode(text)
		if err != nil {
			return nil, "", badInputf("%s: %v", file, err)
		}
		if first == nil {
			first = g
		}
		d := g.Provenance.Data
		if d == nil || d.Name == "digits" || d.SHA256 != first.Provenance.Data.SHA256 {
			return nil, "", nil
		}
		if _, runs[a], err = recorder.Outcomes(t, g); err != nil {
			return nil, "", badInput(err)
		}
		if !slices.EqualFunc(runs[a], runs[arms[0]], func(x, y *check.Outcome) bool { return x.Seed == y.Seed }) {
			return nil, "", nil
		}
	}
	p := first.Provenance
	return runs, fmt.Sprintf("goldens %s… on %s, %s %s, commit %.12s", recorder.ID(t, backend, ""), p.Data.Name, p.Engine.Name, p.Engine.Precision, p.GitCommit), nil
}

// unheld are the quotations that nothing was held against.
func unheld(hs []Held) []Quotation {
	out := []Quotation{}
	for _, q := range quotations {
		if !slices.ContainsFunc(hs, func(h Held) bool { return h.ID == q.ID }) {
			out = append(out, q)
		}
	}
	return out
}

// quotedTable lists the quotations: first those that runs were held against, the paper's numbers beside ours.
func (c *Console) quotedTable(hs []Held) string {
	text := ""
	if len(hs) > 0 {
		var rows [][]string
		for _, h := range hs {
			i := slices.IndexFunc(quotations, func(q Quotation) bool { return q.ID == h.ID })
			rows = append(rows, []string{h.ID + "\n" + h.Check, h.Verdict, "measured: " + h.Measured + "\npaper: " + quotations[i].Quoted + "\n" + h.Differs + "\n" + h.Source})
		}
		text = "Quoted from the paper and held against runs here:\n\n" + c.renderTable([]string{"claim", "verdict", "measured, and what the paper has"}, rows, 2) + "\n"
	}
	var rows [][]string
	for _, q := range unheld(hs) {
		rows = append(rows, []string{q.ID, wrapWords(q.Claim, c.width()/4), q.Quoted, wrapWords(q.Source, 12)})
	}
	return text + "Quoted from the paper, not run here:\n\n" + c.renderTable([]string{"claim", "", "quoted", "source"}, rows, 2)
}
