package checker

// word is one of the closed set of verdict words.
type word string

const (
	undecided word = "undecided"
	proved    word = "proved"
	refuted   word = "refuted"
	illFormed word = "ill-formed"
	incons    word = "inconsistent"
	supported word = "supported"
)

// Verdict is a word from the closed set. Its zero value is undecided. Verdicts that claim truth or falsehood
// can be made only by this package.
type Verdict struct{ w word }

// Undecided is the verdict when the budget ran out or the sides disagree; anyone may say it.
var Undecided = Verdict{undecided}

// Supported is the verdict of samples without a counterexample; properties say it.
var Supported = Verdict{supported}

// String returns the verdict word.
func (v Verdict) String() string {
	if v.w == "" {
		return string(undecided)
	}
	return string(v.w)
}

// IsProved, IsRefuted and IsDecided classify a verdict.
func (v Verdict) IsProved() bool { return v.w == proved }

// IsRefuted reports whether the verdict says that the statement is false: refuted, ill-formed or
// inconsistent.
func (v Verdict) IsRefuted() bool { return v.w == refuted || v.w == illFormed || v.w == incons }

// IsDecided reports whether the verdict is neither undecided nor only supported.
func (v Verdict) IsDecided() bool { return v.w != "" && v.w != undecided && v.w != supported }

// rank orders the verdicts of the parts of a conjunction: the least decides it.
var rank = map[word]int{illFormed: 0, incons: 1, refuted: 2, undecided: 3, "": 3, supported: 4, proved: 5}

// Conjunction is the verdict of "all of these": false if any is false, proved only if all are.
func Conjunction(vs ...Verdict) Verdict {
	if len(vs) == 0 {
		return Undecided
	}
	low := vs[0]
	for _, v := range vs[1:] {
		if rank[v.w] < rank[low.w] {
			low = v
		}
	}
	return low
}

// MarshalText renders the verdict word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
