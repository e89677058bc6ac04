package golden

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// The samples are those of RFC 8785, Appendix B, given there by the bits of the number.
func TestNumbersAreWrittenAsRFC8785Asks(t *testing.T) {
	for _, c := range []struct {
		bits uint64
		want string
	}{
		{0x0000000000000000, "0"},
		{0x8000000000000000, "0"},
		{0x0000000000000001, "5e-324"},
		{0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"},
		{0x4430000000000000, "295147905179352830000"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"},
		{0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
		{0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"},
	} {
		if got := formatNumber(math.Float64frombits(c.bits)); got != c.want {
			t.Errorf("%016x is written %s, want %s", c.bits, got, c.want)
		}
	}
}

// The example is that of RFC 8785 §3.2.2, the key order that of §3.2.3.
func TestCanonicalFormIsThatOfRFC8785(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`,
			"{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
	} {
		n, err := parseJSON([]byte(c.in), false)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(canonical(nil, n, "")); got != c.want {
			t.Errorf("canonical form\n %s\nwant\n %s", got, c.want)
		}
	}
}

func TestParserRefusesWhatIsNotStrictJSON(t *testing.T) {
	for _, c := range []struct {
		in     string
		offset int
		field  string
		want   string // in the message
	}{
		{``, 0, "", "truncated"},
		{`{`, 1, "", "truncated"},
		{`{"a"`, 4, "a", "truncated"},
		{`{"a":`, 5, "a", "truncated"},
		{`{"a":1`, 6, "", "truncated"},
		{`{"a":[1,`, 8, "a[1]", "truncated"},
		{`{"a":"x`, 5, "a", "truncated"},
		{`{"a":"\u00`, 6, "a", "malformed"},
		{`{"a":1e`, 5, "a", "truncated"},
		{`{"a":tru`, 5, "a", "truncated"},
		{`{"a":1}x`, 7, "", "data after the end"},
		{`{"a":1}{"a":1}`, 7, "", "data after the end"},
		{`{"a":1,"a":1}`, 7, "a", "duplicate key"},
		{`{"a":{"b":1,"b":2}}`, 12, "a.b", "duplicate key"},
		{`{"a":NaN}`, 5, "a", "NaN is not a number"},
		{`{"a":-Infinity}`, 5, "a", "malformed number"},
		{`{"a":Infinity}`, 5, "a", "Infinity is not a number"},
		{`{"a":1e400}`, 5, "a", "does not fit"},
		{`{"a":01}`, 5, "a", "malformed number"},
		{`{"a":+1}`, 5, "a", "unexpected"},
		{`{"a":1.}`, 5, "a", "malformed number"},
		{`{"a":0.50}`, 5, "a", "shortest form"},
		{`{"a":5e-1}`, 5, "a", "shortest form"},
		{`{"a":-0}`, 5, "a", "shortest form"},
		{`{"a":9007199254740993}`, 5, "a", "shortest form"},
		{`{"a":1,}`, 7, "", "expected a key"},
		{`[1,]`, 3, "[1]", "unexpected"},
		{`{'a':1}`, 1, "", "expected a key"},
		{`{"a":1 "b":2}`, 7, "", "expected ','"},
		{`{"a" 1}`, 5, "a", "expected ':'"},
		{"{\"a\":\"x\ny\"}", 7, "a", "control character"},
		{"{\"a\":\"\xff\"}", 6, "a", "invalid UTF-8"},
		{`{"a":"\ud800"}`, 6, "a", "malformed"},
		{`{"a":"\ud800\u0041"}`, 6, "a", "malformed"},
		{`{"a":"\x"}`, 6, "a", "unknown escape"},
		{strings.Repeat("[", 100), maxDepth + 1, "", "nested"},
	} {
		_, err := parseJSON([]byte(c.in), true)
		s := asSyntax(err)
		if s == nil {
			t.Errorf("%.40q: accepted", c.in)
			continue
		}
		if s.offset != c.offset || c.field != "" && s.field != c.field || !strings.Contains(s.msg, c.want) {
			t.Errorf("%.40q: refused at byte %d in %q with %q, want byte %d in %q with %q", c.in, s.offset, s.field, s.msg, c.offset, c.field, c.want)
		}
	}
}

func TestDecodeNamesTheMemberThatDoesNotFit(t *testing.T) {
	text := fixtures(t)[directID+".json"].Data
	replace := func(old, new string) string {
		if !strings.Contains(string(text), old) {
			t.Fatalf("the fixture does not contain %s", old)
		}
		return strings.Replace(string(text), old, new, 1)
	}
	for _, c := range []struct{ text, field, want string }{
		{replace(`"dirty": false`, `"dirty": 0`), "provenance.dirty", "expected boolean, found number"},
		{replace(`"dirty": false`, `"dirty": null`), "provenance.dirty", "expected boolean, found null"},
		{replace(`"dirty": false`, `"filthy": false`), "provenance.dirty", "missing"},
		{replace(`"dirty": false`, `"dirty": false, "filthy": false`), "provenance.filthy", "unknown key"},
		{replace(`"rerun": 0`, `"rerun": 0.5`), "runs[0].rerun", "expected an integer"},
		{replace(`"seed": 0`, `"seed": -1`), "runs[0].seed", "expected an integer"},
		{replace(`"step": 0`, `"step": "0"`), "runs[0].series[0].step", "expected number"},
		{replace(`"step": 0`, `"step": -1`), "runs[0].series[0].step", "negative"},
		{replace(`"t_eta": 0,`, `"t eta": 0,`), "runs[0].series[0].t eta", "no metric name"},
		{replace(`"runs": [`, `"runs": {"x":1}, "rums": [`), "runs", "expected array, found object"},
		{replace(Schema, "ssl-golden/2"), "schema", "this program reads"},
		{"\xef\xbb\xbf" + string(text), "", "byte-order mark"},
		{"[]", "", "expected object"},
	} {
		_, err := Decode([]byte(c.text))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: accepted, want %q", c.field, c.want)
			continue
		}
		if e.Field != c.field || e.Rule != ruleForm || !strings.Contains(e.Error(), c.want) || e.Offset < 0 && c.want != "missing" {
			t.Errorf("refused with %v (offset %d), want field %q with %q", e, e.Offset, c.field, c.want)
		}
	}
}

func FuzzDecodedFilesEncodeToThemselves(f *testing.F) {
	// A golden small enough to be mutated often; its numbers need not be true to be encoded.
	g := runsOf("er", 0, 1, 2, 3, 4, 5)
	g.Runs[0].Series = []Point{{Step: 1, Values: map[string]float64{"er": 1.5}, Spectra: map[string][]float64{"spec_F": {1, 0.5}}}}
	g.Runs[0].Segment = &Blob{Tensors: []Tensor{{Step: 1, Name: TensorWp, Rows: 1, Cols: 1, DType: F32, Data: []float64{1}}}}
	g.Config = mustConfig(f, simsiamRecipe())
	if _, err := g.complete(nil); err != nil {
		f.Fatal(err)
	}
	text, err := g.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":"ssl-golden/1"}`))
	f.Add([]byte(`{"a":["\ud83d\ude00",1e-7,-0.1,null,{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if n, err := parseJSON(text, true); err == nil {
			again, err := parseJSON(canonical(nil, n, ""), true)
			if err != nil || string(canonical(nil, again, "")) != string(canonical(nil, n, "")) {
				t.Fatalf("the canonical form of %q is not canonical: %v", text, err)
			}
		}
		g, err := Decode(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Rule != ruleForm {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		first, err := g.Encode()
		if err != nil {
			t.Fatal(err)
		}
		h, err := Decode(first)
		if err != nil {
			t.Fatalf("our own encoding is refused: %v", err)
		}
		second, err := h.Encode()
		if err != nil || string(first) != string(second) {
			t.Fatalf("encoding is not stable: %v", err)
		}
	})
}
