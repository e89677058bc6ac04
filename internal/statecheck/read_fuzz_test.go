package statecheck

import (
	"bytes"
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"stopgrad/theory/lang"
)

// placed matches the beginning of a message about a state file: its name, perhaps a line of it.
var placed = regexp.MustCompile(`^(statecheck: )?f:(?:([0-9]+):)? .`)

// FuzzReadState reads state files of any form: what is wrong has one message with a line of the file, and what is read is
// checked against a claim of scalars and matrices without a failure of the program.
func FuzzReadState(f *testing.F) {
	claims, err := lang.Parse(lang.Source{Name: "small", Text: `claim small
  size n
  scalar x, y
  root r = y
  matrix W : n x n
  flow
    x' = -x
    W' = 0*W
  says a: x^2 + r >= 0
  says b: always tr(W) <= 1
  says c: tr(W^T*W) >= x - y
`})
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		`{"n": 2, "x": 0.1, "y": "2", "W": [["1/3", 2], [0, -1e-3]], "t": 1}`,
		`{"size n":"2","x":"1/10","W[1,1]":"1/3","W[1,2]":"2","W[2,1]":"0","W[2,2]":"-1/1000"}`,
		`{"sizes":{"n":2},"scalars":{"x":"1/10"},"matrices":{"W":[["1/3","2"],["0","-1/1000"]]}}`,
		"n=2 x=1/10\n W=[1/3 2; 0 -1/1000], y=sqrt(2)\n",
		"\ufeffx=1\u00a0y=2\v",
		"stopgrad certificate 1\nclaim a b printed\ndim n 2\nvalue W 2 2 : 1/3 2 0 -1/1000\nvalue x 1 1 : 1/10\nroot 2\nvalue y 1 1 : 0,1\n",
		"[1 2]", "x=", "=", "{}", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ReadState(bytes.NewReader(text), "f")
		if err != nil {
			m := placed.FindStringSubmatch(err.Error())
			if m == nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("an error that does not name the file once: %q", err)
			}
			if n, _ := strconv.Atoi(m[2]); m[2] != "" && (n < 1 || n > 1+bytes.Count(text, []byte("\n"))) {
				t.Fatalf("an error outside the file: %q", err)
			}
			return
		}
		// What comes of it is no matter here; that something does is.
		_, _ = Check(context.Background(), claims.Claim("small"), s, Options{})
	})
}
