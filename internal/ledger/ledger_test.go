package ledger

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// example has every member that a ledger can have.
func example() *Ledger {
	seed := uint64(7)
	l := &Ledger{Schema: Schema, Seed: 7, Depth: "quick", Claims: []Claim{
		{ID: "a", Where: "page 1", Statement: "x = y", Verdict: Refuted, Corrected: &Reading{"x = −y", Proved},
			Evidence: []Evidence{
				{Kind: Witness, Verdict: Refuted, Seconds: 0.5, Detail: Detail{Part: "p", Reading: "printed", Statement: "x = y", Seed: &seed, Drawn: 3, Tried: 2,
					State:      &State{Sizes: map[string]int{"n": 1}, Scalars: map[string]string{"x": "1/2"}, Matrices: map[string][][]string{"M": {{"0", "1"}}}},
					Hypotheses: map[string]bool{"h": true}, Measures: map[string]float64{"residual": 0.25}}},
				{Kind: Proof, Verdict: Proved, Seconds: 0.25, Detail: Detail{Part: "q", Reading: "corrected", Steps: []Step{{"expand", "x == -y"}}}},
				{Kind: Training, Verdict: NotObserved, Detail: Detail{Part: "q", Reading: "corrected", Reason: "three seeds", Data: json.RawMessage(`{"runs":3}`)}},
			},
			Twins:   []Twin{{Mutation: "q: - → +", Verdict: Refuted}, {Mutation: "q: drop hypothesis h", Verdict: Undecided, Detail: &Detail{Part: "q", Reading: "corrected", Reason: "none"}}},
			Seconds: 1},
		{ID: "b", Where: "page 2", Statement: "z < w & v", Verdict: Proved, Evidence: []Evidence{}, Twins: []Twin{}, Seconds: 2},
	}}
	l.Summarise()
	l.Summary.Complete, l.Summary.Seconds, l.Summary.Sources = true, 3, "sha256:00"
	return l
}

func encode(t *testing.T, l *Ledger) []byte {
	t.Helper()
	data, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEncodingRoundTrip(t *testing.T) {
	l := example()
	data := encode(t, l)
	back, err := Decode("l.json", data)
	if err != nil {
		t.Fatal(err)
	}
	// Indentation changes the bytes of raw data, not its meaning.
	if again := encode(t, back); !bytes.Equal(again, data) {
		t.Errorf("encoded differently after a round trip:\n%s", cmp.Diff(string(data), string(again)))
	}
	if bytes.Contains(data, []byte(`\u003c`)) {
		t.Error("< is escaped; a ledger is read by people too")
	}
}

// TestContract compares the members of the encoding with those that other programs rely on.
func TestContract(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal(encode(t, example()), &got); err != nil {
		t.Fatal(err)
	}
	has := func(m any, keys ...string) {
		t.Helper()
		for _, k := range keys {
			if _, ok := m.(map[string]any)[k]; !ok {
				t.Errorf("member %s is missing in %v", k, m)
			}
		}
	}
	has(got, "schema", "seed", "depth", "claims", "summary")
	claims := got["claims"].([]any)
	has(claims[0], "id", "where", "statement", "verdict", "corrected", "evidence", "twins")
	has(claims[1], "id", "where", "statement", "verdict", "evidence", "twins")
	if _, ok := claims[1].(map[string]any)["corrected"]; ok {
		t.Error("corrected is present in a claim without a corrected reading")
	}
	a := claims[0].(map[string]any)
	has(a["corrected"], "statement", "verdict")
	has(a["evidence"].([]any)[0], "kind", "verdict", "seconds", "detail")
	has(a["twins"].([]any)[0], "mutation", "verdict")
}

func TestDecodeIsStrict(t *testing.T) {
	good := string(encode(t, example()))
	for _, c := range []struct {
		name     string
		old, new string // made in the good ledger; old must occur
		want     string // in the message
	}{
		{"unknown member", `"depth"`, `"deepness"`, `unknown field "deepness"`},
		{"repeated member", `"seed": 7,`, `"seed": 7, "seed": 8,`, `l.json:3: member "seed" is given twice`},
		{"wrong type", `"seed": 7,`, `"seed": "7",`, "l.json:3: seed: string where uint64 is expected"},
		{"other schema", Schema, "stopgrad-ledger/2", `schema: "stopgrad-ledger/2"`},
		{"unknown verdict", `"verdict": "refuted"`, `"verdict": "false"`, `claims[0].verdict: "false" is not a verdict`},
		{"unknown corrected verdict", `"statement": "x = −y",
        "verdict": "proved"`, `"statement": "x = −y",
        "verdict": "yes"`, `claims[0].corrected.verdict: "yes" is not a verdict`},
		{"unknown kind", `"kind": "witness"`, `"kind": "hearsay"`, `claims[0].evidence[0].kind: "hearsay" is not a kind of evidence`},
		{"repeated id", `"id": "b"`, `"id": "a"`, "claims[1].id: a occurs twice"},
		{"missing id", `"id": "b"`, `"id": ""`, "claims[1].id: missing"},
		{"escape", `"statement": "x = −y"`, `"statement": "x = \u001b[31m−y"`, "the character U+001B moves or hides others"},
		{"line break", `"statement": "x = −y"`, `"statement": "x\nCONTRADICTION"`, "the character U+000A moves or hides others"},
		{"turned round", `"id": "b"`, "\"id\": \"b\u202e\"", "the character U+202E moves or hides others"},
		{"cut short", "\"summary\"", "", "l.json:"},
		{"half a file", good[len(good)/2:], "", "the file ends in the middle"},
		{"something after", "\n}\n", "\n}\n{}", "something follows the ledger"},
		{"empty", good, "", "the file ends in the middle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("%q does not occur in the example", c.old)
			}
			l, err := Decode("l.json", []byte(strings.Replace(good, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v; want one line with %q", err, c.want)
			}
			if l != nil {
				t.Error("a ledger is returned beside the error")
			}
		})
	}
	if _, err := Decode("l.json", []byte(good)); err != nil {
		t.Errorf("the unchanged example: %v", err)
	}
}

func TestCompareNamesEveryChange(t *testing.T) {
	if cs := Compare(example(), example()); len(cs) != 0 {
		t.Errorf("a ledger differs from itself: %v", cs)
	}
	for _, c := range []struct {
		name string
		edit func(*Ledger)
		want string
	}{
		{"printed", func(l *Ledger) { l.Claims[0].Verdict = Undecided }, "a: as printed: refuted → undecided"},
		{"corrected", func(l *Ledger) { l.Claims[0].Corrected.Verdict = Supported }, "a: corrected: proved → supported"},
		{"corrected lost", func(l *Ledger) { l.Claims[0].Corrected = nil }, "a: corrected: missing, was proved"},
		{"corrected gained", func(l *Ledger) { l.Claims[1].Corrected = &Reading{"", Proved} }, "b: corrected: new, proved"},
		{"twin", func(l *Ledger) { l.Claims[0].Twins[1].Verdict = Refuted }, "a: twin q: drop hypothesis h: undecided → refuted"},
		{"twin lost", func(l *Ledger) { l.Claims[0].Twins = l.Claims[0].Twins[:1] }, "a: twin q: drop hypothesis h: missing, was undecided"},
		{"twin again", func(l *Ledger) { l.Claims[0].Twins = append(l.Claims[0].Twins, l.Claims[0].Twins[0]) }, "a: twin q: - → + (2): new, refuted"},
		{"claim lost", func(l *Ledger) { l.Claims = l.Claims[:1] }, "b: claim: missing, was proved"},
		{"claim gained", func(l *Ledger) { l.Claims = append(l.Claims, Claim{ID: "c", Verdict: IllFormed}) }, "c: claim: new, ill-formed"},
		{"seconds", func(l *Ledger) { l.Claims[0].Seconds = 100 }, ""},
		{"evidence", func(l *Ledger) { l.Claims[0].Evidence = nil }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := example()
			// Claims share nothing with another example, so that edits stay here.
			c.edit(l)
			var got []string
			for _, ch := range Compare(example(), l) {
				got = append(got, ch.String())
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("changes %q; want %q", got, c.want)
			}
		})
	}
}

// TestCompareNamesWhatIsStated: an edited statement and a dropped hypothesis are named before any verdict, whichever piece
// of evidence records them; seed and depth are said where they may explain a difference.
func TestCompareNamesWhatIsStated(t *testing.T) {
	with := func() *Ledger {
		l := example()
		for i := range 2 {
			d := &l.Claims[0].Evidence[i].Detail
			d.Statement, d.Given, d.Sequent = "x == y", []string{"state", "param x, y", "here x > 0", "here y > 0"}, "sha256:01"
		}
		second := l.Claims[0].Evidence[0]
		second.Kind = Samples
		l.Claims[0].Evidence = append(l.Claims[0].Evidence, second)
		return l
	}
	if cs := Compare(with(), with()); len(cs) != 0 {
		t.Errorf("a ledger differs from itself: %v", cs)
	}
	detail := func(i int) func(*Ledger) *Detail {
		return func(l *Ledger) *Detail { return &l.Claims[0].Evidence[i].Detail }
	}
	for _, c := range []struct {
		name string
		edit func(*Ledger)
		want string
	}{
		{"statement", func(l *Ledger) { detail(0)(l).Statement = "1 == 2" }, "a: p as printed: the statement was 1 == 2 and is x == y"},
		{"statement of later evidence", func(l *Ledger) { detail(3)(l).Statement = "1 == 2" }, "a: p as printed: the statement was 1 == 2 and is x == y"},
		{"statement of a correction", func(l *Ledger) { detail(1)(l).Statement = "1 == 2" }, "a: q as corrected: the statement was 1 == 2 and is x == y"},
		{"hypothesis gained", func(l *Ledger) { d := detail(0)(l); d.Given = d.Given[:3] }, `a: p as printed: the hypotheses differ: "here y > 0" is new`},
		{"first hypothesis gained", func(l *Ledger) { d := detail(0)(l); d.Given = []string{"state", "param x, y", "here y > 0"} },
			`a: p as printed: the hypotheses differ: "here x > 0" is new`},
		{"order", func(l *Ledger) {
			d := detail(0)(l)
			d.Given = []string{"state", "param x, y", "here y > 0", "here x > 0"}
		}, "a: p as printed: the hypotheses differ: their order"},
		{"hypothesis dropped", func(l *Ledger) { d := detail(0)(l); d.Given = append(d.Given[:4:4], "here x > y") },
			`a: p as printed: the hypotheses differ: "here x > y" is missing`},
		{"hypothesis weakened", func(l *Ledger) {
			d := detail(0)(l)
			d.Given = []string{"state", "param x, y", "here x >= 0", "here y > 0"}
		},
			`a: p as printed: the hypotheses differ: "here x > 0" was "here x >= 0"`},
		{"mark", func(l *Ledger) {
			d := detail(0)(l)
			d.Given = []string{"state", "param x, y", "const x > 0", "here y > 0"}
		},
			`a: p as printed: the hypotheses differ: "here x > 0" was "const x > 0"`},
		{"sequent", func(l *Ledger) { detail(0)(l).Sequent = "sha256:02" }, "a: p as printed: the sequent differs: statement and hypotheses that print alike are others"},
		{"claim", func(l *Ledger) { l.Claims[1].Statement = "1 == 2" }, "b: as printed: the statement was 1 == 2 and is z < w & v"},
		{"part", func(l *Ledger) { l.Claims[0].Evidence = l.Claims[0].Evidence[1:3] }, "a: p as printed: is new"},
		{"part that is no more", func(l *Ledger) {
			e := l.Claims[0].Evidence[0]
			e.Detail.Part, e.Detail.Statement = "r", "1 == 2"
			l.Claims[0].Evidence = append(l.Claims[0].Evidence, e)
		}, "a: r as printed: is missing; it was 1 == 2"},
		{"corrected reading", func(l *Ledger) { l.Claims[0].Corrected.Statement = "1 == 2" }, "a: as corrected: the statement was 1 == 2 and is x = −y"},
		{"twin", func(l *Ledger) { l.Claims[0].Twins[1].Detail.Statement = "1 == 2" },
			"a: twin q: drop hypothesis h: the statement was 1 == 2 and is , or its hypotheses differ"},
		{"sequent of a twin", func(l *Ledger) { l.Claims[0].Twins[1].Detail.Sequent = "sha256:02" },
			"a: twin q: drop hypothesis h: the statement was  and is , or its hypotheses differ"},
		{"seed alone", func(l *Ledger) { l.Seed = 8 }, ""},
		{"depth alone", func(l *Ledger) { l.Depth = "deep" }, ""},
		{"seed", func(l *Ledger) { l.Seed = 8; l.Claims[1].Verdict = Undecided }, "b: as printed: undecided → proved\nthe seed was 8 and is 7"},
		{"depth", func(l *Ledger) { l.Depth = "deep"; l.Claims[1].Verdict = Undecided }, "b: as printed: undecided → proved\nthe depth was deep and is quick"},
		{"claim files", func(l *Ledger) { l.Summary.Sources = "sha256:11"; l.Claims[1].Verdict = Undecided }, "b: as printed: undecided → proved\nthe claim files differ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := with()
			c.edit(old)
			var got []string
			for _, ch := range Compare(old, with()) {
				got = append(got, ch.String())
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("changes %q; want %q", got, c.want)
			}
		})
	}
}

func TestCanonicalLeavesOutSecondsOnly(t *testing.T) {
	l := example()
	c := l.Canonical()
	if bytes.Contains(encode(t, c), []byte(`"seconds": 1`)) || c.Summary.Seconds != 0 || c.Claims[0].Evidence[0].Seconds != 0 {
		t.Error("seconds are left")
	}
	if l.Claims[0].Seconds != 1 || l.Claims[0].Evidence[0].Seconds != 0.5 || l.Summary.Seconds != 3 {
		t.Error("the original has changed")
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return strings.HasSuffix(p.String(), "Seconds") }, cmp.Ignore())
	if d := cmp.Diff(l, c, ignore); d != "" {
		t.Errorf("something else differs:\n%s", d)
	}
}

func TestContradictions(t *testing.T) {
	l := example()
	if got := l.Claims[0].Contradictions(); len(got) != 0 {
		t.Errorf("contradictions in a consistent claim: %v", got)
	}
	l.Claims[0].Evidence[1].Detail.Part = "p" // proved as corrected, refuted as printed
	if got := l.Claims[0].Contradictions(); len(got) != 0 {
		t.Errorf("contradictions between two readings: %v", got)
	}
	l.Claims[0].Evidence[1].Detail.Reading = "printed" // proved and refuted
	l.Summarise()
	if d := cmp.Diff([]string{"a/p"}, l.Summary.Contradictions); d != "" {
		t.Error(d)
	}
}

func TestSummaryCounts(t *testing.T) {
	want := Summary{Claims: 2, Complete: true, Printed: map[Verdict]int{Refuted: 1, Proved: 1}, Corrected: map[Verdict]int{Proved: 1},
		Twins: TwinCount{2, 1}, Contradictions: []string{}, Sources: "sha256:00", Seconds: 3}
	if d := cmp.Diff(want, example().Summary); d != "" {
		t.Error(d)
	}
	if got := example().Select([]string{"b"}).Summary; got.Claims != 1 || got.Twins.Total != 0 || got.Printed[Proved] != 1 {
		t.Errorf("summary of a selection: %+v", got)
	}
}

func TestWriteIsAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.json")
	l := example()
	if err := l.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	back, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encode(t, back), encode(t, l)) {
		t.Error("another ledger is read than was written")
	}
	// A ledger that cannot be encoded leaves the old file, and no other.
	l.Claims[0].Evidence[0].Detail.Data = json.RawMessage("{")
	if err := l.WriteFile(path); err == nil {
		t.Error("broken data is written")
	}
	if _, err := ReadFile(path); err != nil {
		t.Errorf("the old file is gone: %v", err)
	}
	only(t, dir, "ledger.json")
}

func TestUnwritableFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		PrepareFolder(filepath.Join(file, "below")),
		PrepareFolder(file),
		example().WriteFile(filepath.Join(file, "ledger.json")),
		example().WriteFile(filepath.Join(dir, "none", "ledger.json")),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "ledger: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v; want one line", err)
		}
	}
	only(t, dir, "file")
	if err := PrepareFolder(filepath.Join(dir, "a", "b")); err != nil {
		t.Error(err)
	}
	only(t, filepath.Join(dir, "a", "b"))
}

// only requires that the folder holds exactly these files.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("%s holds %v; want %v", dir, got, names)
	}
}
