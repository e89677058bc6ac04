package golden

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDiffMatchesRunsBySeedAndPointsByStep(t *testing.T) {
	files := fixtures(t)
	old, changed := load(t, files, simsiamID), load(t, files, simsiamID)
	if d, err := Diff(old, changed); err != nil || len(d) != 0 {
		t.Fatalf("a golden differs from itself: %v (%v)", d, err)
	}
	changed.Runs = slices.Delete(changed.Runs, 2, 3) // seed 1
	changed.Runs[2].Final["er"] *= 1.02              // seed 2
	changed.Runs[2].Series[1].Values["loss"] = 0.5
	changed.Claims[0].Pass = !changed.Claims[0].Pass
	changed.Supersedes = &Supersedes{Reason: "x", FileSHA256: strings.Repeat("0", 64)}
	m := recipe(changed)
	m["steps"] = 301
	m["note"] = "longer"
	setRecipe(changed, m)
	d, err := Diff(old, changed)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range d {
		got = append(got, x.Path)
	}
	want := []string{
		"claims[T1.symm comm].pass",
		"config.derived.eta_t",
		"config.note",
		"config.steps",
		"runs[seed 1, rerun 0]",
		"runs[seed 2, rerun 0].final.er",
		"runs[seed 2, rerun 0].series[step 1].loss",
		"supersedes",
	}
	if !slices.Equal(got, want) {
		t.Errorf("differences\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
	if s := d[3].String(); s != "config.steps: 300 → 301 (+0.333 %)" {
		t.Error(s)
	}
	if s := d[2].String(); s != `config.note: (absent) → "longer"` {
		t.Error(s)
	}
	if s := d[4].String(); !strings.HasSuffix(s, "… → (absent)") || len([]rune(s)) > 250 {
		t.Error(s)
	}
}

func TestDiffFilesNamesTheFileItCannotRead(t *testing.T) {
	dir := t.TempDir()
	files := fixtures(t)
	good := filepath.Join(dir, "good.json")
	bad := filepath.Join(dir, "bad.json")
	if err := errors.Join(os.WriteFile(good, files[slideID+".json"].Data, 0o666), os.WriteFile(bad, []byte("{"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if d, err := DiffFiles(good, good); err != nil || len(d) != 0 {
		t.Errorf("%v, %v", d, err)
	}
	for _, pair := range [][2]string{{good, bad}, {bad, good}, {good, filepath.Join(dir, "bad.json.absent")}} {
		_, err := DiffFiles(pair[0], pair[1])
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.File, "bad.json") {
			t.Errorf("%v gave %v", pair, err)
		}
	}
}
