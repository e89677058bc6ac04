package flow

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"
)

func TestBadStatesAreNamed(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{``, "state: the file ends in the middle"},
		{`{`, "state: the file ends in the middle"},
		{`{"eta":`, "eta: the file ends in the middle"},
		{`{"W":[[1,2],[3`, "W row 2 column 2: the file ends in the middle"},
		{`[1]`, "a state is a JSON object {…}, not '['"},
		{`3`, "a state is a JSON object {…}, not 3"},
		{`null`, "a state is a JSON object {…}, not null"},
		{`{"eta":0.1,"zeta":2}`, `unknown key "zeta" (known: alpha eta beta`},
		{`{"Eta":0.1}`, `unknown key "Eta"`},
		{"{\n\"eta\":0.1,\n\"eta\":0.1}", "x.json:3: key eta is given twice"},
		{`{"eta":null}`, "eta: want a number, found null"},
		{`{"eta":"1/010"}`, `eta: want a number, found "1/010"`},
		{`{"eta":"0.1"}`, `eta: want a number, found "0.1"`},
		{`{"eta":true}`, "eta: want a number, found true"},
		{`{"eta":[0.1]}`, "eta: want a number, found '['"},
		{`{"eta":NaN}`, "eta: not a finite number"},
		{`{"eta":-Infinity}`, "eta: not a finite number"},
		{`{"eta":1e999}`, "eta: 1e999 is not a finite float64"},
		{`{"eta":0x10}`, "invalid character"},
		{`{"eta":-0.1}`, "eta = -0.1 must be ≥ 0"},
		{`{"beta":-1}`, "beta = -1 must be ≥ 0"},
		{`{"sigma2":-1e-9}`, "sigma2 = -1e-09 must be ≥ 0"},
		{`{"W":3}`, "W: a matrix is an array of rows, not 3"},
		{`{"W":null}`, "W: a matrix is an array of rows, not null"},
		{`{"W":[]}`, "W: empty matrix"},
		{`{"W":[[]]}`, "W row 1: empty row"},
		{`{"W":[1,2]}`, "W row 1: a row is an array of numbers, not 1"},
		{`{"W":[[1,2],null]}`, "W row 2: a row is an array of numbers, not null"},
		{`{"W":[[1,2],[3]]}`, "W row 2: 1 columns where row 1 has 2"},
		{"{\"W\":[[1,2],\n[3,4,5]]}", "x.json:2: W row 2: 3 columns where row 1 has 2"},
		{`{"W":[[1,2],[]]}`, "W row 2: empty row"},
		{"{\"W\":[[1,2],\n[3,NaN]]}", "x.json:2: W row 2 column 2: not a finite number"},
		{`{"W":[[1,Infinity]]}`, "W row 1 column 2: not a finite number"},
		{`{"W":[[1,null]]}`, "W row 1 column 2: want a number, found null"},
		{`{"W":[[1,"a"]]}`, `W row 1 column 2: want a number, found "a"`},
		{`{"W":[[1,[2]]]}`, "W row 1 column 2: want a number, found '['"},
		{`{"W":[[1,-1e400]]}`, "W row 1 column 2: -1e400 is not a finite float64"},
		{`{"p":[]}`, "p: empty array"},
		{`{"p":[0.1,null]}`, "p column 2: want a number, found null"},
		{`{"p":[[0.1]]}`, "p column 1: want a number, found '['"},
		{`{"tau":[]}`, "tau: empty array"},
		{`{"tau":{}}`, "tau: want a number, found '{'"},
		{`{"eta":0.1} {"eta":0.2}`, "after the state: unexpected '{'"},
		{`{"eta":0.1} x`, "after the state: invalid character 'x'"},
		{`{"eta":0.1,}`, "invalid character '}'"},
	} {
		s, err := DecodeState(strings.NewReader(c.in), "x.json")
		if err == nil || s != nil {
			t.Errorf("%s: accepted", c.in)
			continue
		}
		if !strings.HasPrefix(err.Error(), "flow: x.json:") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.in, err, c.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", c.in, err)
		}
	}
}

func TestDefaultsAreAsDocumented(t *testing.T) {
	s, err := DecodeState(strings.NewReader(`{}`), "x.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.Alpha != 1 || s.Eta != 0 || s.Beta != 1 || s.Sigma2 != 0 || s.Tau != 1 || s.T != 0 {
		t.Errorf("%+v", s)
	}
	js, err := s.MarshalJSON()
	if err != nil || string(js) != `{}` {
		t.Errorf("%s, %v", js, err)
	}
	s.Sigma2 = 0.5
	x, xp, err := s.Moments(3)
	if err != nil || !mat.Equal(x, scaledIdentity(3, 1)) || !mat.Equal(xp, scaledIdentity(3, 0.5)) {
		t.Errorf("X = %v, X' = %v, %v", x, xp, err)
	}
}

// What is written is read back, in the same form, to the last bit.
func TestStatesRoundTrip(t *testing.T) {
	for _, in := range []string{
		`{"alpha":1.3,"eta":0,"beta":0.1,"sigma2":0.25,"tau":0.5,"t":-3,"W":[[1,2.5e-300],[0.1,-7]],"Wp":[[1,0],[0,1]],"Wa":[[0,0],[0,1e+300]],"F":[[1]],"X":[[2]],"Xp":[[3]]}`,
		`{"tau":[0.5,1],"p":[1,2],"s":[0.1,0.2],"w":[3,4],"wa":[5,6]}`,
		`{"tau":[0.5],"p":1,"s":0.1,"w":3,"wa":[5]}`,
		`{"alpha":0,"tau":1}`,
		`{"W":[[0.3333333333333333,5e-324,1.7976931348623157e+308]]}`,
	} {
		s, err := DecodeState(strings.NewReader(in), "x.json")
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		out, err := json.Marshal(s)
		if err != nil || string(out) != in {
			t.Errorf("\n in %s\nout %s, %v", in, out, err)
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		s := randomState(rng, 1+rng.IntN(4), 1+rng.IntN(4))
		s.P, s.TauModes = []float64{rng.NormFloat64()}, []float64{rng.ExpFloat64(), 1}
		js, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back State
		if err := json.Unmarshal(js, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(&back)
		if err != nil || cmp.Diff(string(js), string(again)) != "" {
			t.Fatalf("%v\n%s\n%s", err, js, again)
		}
		if !mat.Equal(s.W, back.W) || !mat.Equal(s.Xp, back.Xp) || s.Eta != back.Eta || s.TauModes[0] != back.TauModes[0] {
			t.Fatalf("%s was changed", js)
		}
	}
}

func TestNonFiniteStatesAreNotWritten(t *testing.T) {
	s := NewState()
	s.Eta = math.Inf(1)
	if _, err := s.MarshalJSON(); err == nil || !strings.Contains(err.Error(), "eta: +Inf is not") {
		t.Errorf("eta: %v", err)
	}
	s = NewState()
	s.W = mat.NewDense(1, 2, []float64{0, math.NaN()})
	if _, err := s.MarshalJSON(); err == nil || !strings.Contains(err.Error(), "W row 1 column 2: NaN") {
		t.Errorf("W: %v", err)
	}
	s = NewState()
	s.P = []float64{1, math.NaN()}
	if _, err := s.MarshalJSON(); err == nil || !strings.Contains(err.Error(), "p column 2") {
		t.Errorf("p: %v", err)
	}
}

func TestStateFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.json")
	if _, err := ReadStateFile(path); err == nil || !strings.HasPrefix(err.Error(), "flow: ") || !strings.Contains(err.Error(), path) {
		t.Errorf("absent file: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"eta":0.5}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadStateFile(path); err != nil || s.Eta != 0.5 || !s.Has("eta") || s.Has("beta") || s.Has("zeta") {
		t.Errorf("%+v, %v", s, err)
	}
}

// Whatever the bytes, the decoder returns a state that is written and read back, or
// one line of error.
func FuzzDecodeState(f *testing.F) {
	f.Add([]byte(`{"alpha":1.3,"W":[[1,2],[3,4]],"p":[1],"tau":2}`))
	f.Add([]byte(`{"W":[[NaN]]}`))
	f.Add([]byte("{\"s\":1,\n\"s\":[]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := DecodeState(strings.NewReader(string(data)), "x")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "flow: x:") {
				t.Errorf("%v", err)
			}
			return
		}
		js, err := s.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeState(strings.NewReader(string(js)), "y")
		if err != nil {
			t.Fatalf("%s: %v", js, err)
		}
		again, err := back.MarshalJSON()
		if err != nil || string(js) != string(again) {
			t.Errorf("%s\n%s, %v", js, again, err)
		}
	})
}
