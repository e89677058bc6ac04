package method

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(tb testing.TB, file, text string) {
	tb.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func read(tb testing.TB, parts ...string) string {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestSeriesRoundTrip(t *testing.T) {
	dir := t.TempDir()
	columns := []string{"loss", "zstd"}
	s, err := CreateSeries(dir, columns)
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{{0, []float64{math.NaN(), 1.0 / 3}}, {10, []float64{math.Inf(1), math.Copysign(0, -1)}}, {1000000, []float64{5e-324, math.MaxFloat64}}}
	for _, r := range want {
		if err := s.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Append(Record{1, []float64{1}}); err == nil {
		t.Error("a record with a missing value was accepted")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, dir, SeriesJSONFile), `{"step":0,"loss":null,"zstd":0.3333333333333333}
{"step":10,"loss":null,"zstd":-0}
{"step":1000000,"loss":5e-324,"zstd":1.7976931348623157e+308}
`; got != want {
		t.Errorf("JSON lines are\n%swant\n%s", got, want)
	}
	if got, want := read(t, dir, SeriesCSVFile), `step,loss,zstd
0,,0.3333333333333333
10,,-0
1000000,5e-324,1.7976931348623157e+308
`; got != want {
		t.Errorf("CSV is\n%swant\n%s", got, want)
	}
	got, records, err := ReadSeries(dir)
	if err != nil || !slices.Equal(got, columns) || len(records) != len(want) {
		t.Fatalf("read back %v, %v, %v", got, records, err)
	}
	for i, r := range records {
		for j, v := range r.Values {
			w := want[i].Values[j]
			if math.IsInf(w, 0) {
				w = math.NaN()
			}
			if r.Step != want[i].Step || v != w && !(math.IsNaN(v) && math.IsNaN(w)) {
				t.Errorf("record %d reads back as %+v, want %+v", i, r, want[i])
			}
		}
	}
}

func TestResumingDropsWhatTheCheckpointHasNotSeen(t *testing.T) {
	dir := t.TempDir()
	s, err := CreateSeries(dir, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	var upTo [4]string
	for i := range upTo {
		upTo[i] = seriesOf(t, dir)
		if err := s.Append(Record{5 * i, []float64{1.5}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ step, kept int }{{14, 3}, {10, 3}, {9, 2}, {4, 1}} {
		s, kept, err := ResumeSeries(dir, []string{"a"}, c.step)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if len(kept) != c.kept || seriesOf(t, dir) != upTo[c.kept] {
			t.Errorf("resumed after step %d: %d records kept, want %d; the files hold\n%s", c.step, len(kept), c.kept, seriesOf(t, dir))
		}
	}
}

func TestSeriesErrors(t *testing.T) {
	for _, columns := range [][]string{{"a", "a"}, {"step"}, {""}, {"a,b"}, {`a"`}, {"a\nb"}} {
		if _, err := CreateSeries(t.TempDir(), columns); err == nil {
			t.Errorf("columns %q were accepted", columns)
		}
	}
	dir := t.TempDir()
	s, err := CreateSeries(dir, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateSeries(dir, []string{"a"}); err == nil || !strings.Contains(err.Error(), "exists: resume") {
		t.Errorf("a second series in one folder: %v", err)
	}
	if _, err := CreateSeries(filepath.Join(dir, "none"), []string{"a"}); err == nil {
		t.Error("a series in a missing folder")
	}
	const ok = `{"step":0,"a":1}` + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"not JSON", ok + "step 5\n", "line 2: no record"},
		{"no step", ok + `{"a":1}` + "\n", `line 2: no record: want "step"`},
		{"half step", `{"step":0.5,"a":1}` + "\n", `line 1: no record: want "step"`},
		{"missing column", `{"step":0}` + "\n", `line 1: column "a" is missing`},
		{"other column", `{"step":0,"a":1,"b":2}` + "\n", `line 1: column "b" is not one of this run's`},
		{"backwards", ok + ok, "line 2: step 0 after step 0"},
		{"text for a number", `{"step":0,"a":"1"}` + "\n", "line 1: no record"},
	} {
		file := filepath.Join(dir, SeriesJSONFile)
		write(t, file, c.text)
		_, _, err := ResumeSeries(dir, []string{"a"}, 100)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v, want the file and %q", c.name, err, c.want)
		}
		if read(t, file) != c.text {
			t.Errorf("%s: a refused series was changed", c.name)
		}
	}
	// A finished series may not be cut short; a resumed one may.
	write(t, filepath.Join(dir, SeriesJSONFile), ok+`{"step":5,"a"`)
	if _, _, err := ReadSeries(dir); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("reading a series that is cut short: %v", err)
	}
	s, kept, err := ResumeSeries(dir, []string{"a"}, 100)
	if err != nil || len(kept) != 1 {
		t.Fatalf("resuming a series that is cut short: %v, %v", kept, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, SeriesJSONFile); got != ok {
		t.Errorf("after resuming the file holds %q", got)
	}
}
