package theory

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// refusers are the functions by which the trusted packages refuse; a condition that guards one is a side condition.
var refusers = []string{"refuse", "fail", "spare", "noValue"}

// accountants are functions without a say in what is accepted: they count work or collect.
var accountants = []string{"spend", "need", "refill", "grow", "visit", "walk", "put", "learn", "panic", "append", "copy", "delete", "room", "give", "note", "set", "charge", "long", "pay"}

// condition is one side condition of a source file: what becomes of the text where it is dropped.
type condition struct {
	file, function, text string
	how                  string // not refused, taken for true, not called
	from, to             int    // its place in the file
	before, after        string // what is written around it; %d is its number
}

func (c condition) String() string {
	return fmt.Sprintf("%s %s: %s, %s", filepath.Base(c.file), c.function, c.text, c.how)
}

// conditions lists the side conditions of a file:
//
//   - what guards a refusal, each alternative by itself: it is taken for false;
//   - what a boolean result or variable is made of, each conjunct and alternative by itself: it is taken for true;
//   - a statement that calls something which may refuse: it is left out.
func conditions(name string, text []byte) ([]condition, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var out []condition
	function := ""
	add := func(n ast.Node, how, before, after string) {
		var b bytes.Buffer
		if err := printer.Fprint(&b, set, n); err != nil {
			panic(err)
		}
		out = append(out, condition{name, function, strings.Join(strings.Fields(b.String()), " "), how,
			set.Position(n.Pos()).Offset, set.Position(n.End()).Offset, before, after})
	}
	called := func(s ast.Stmt) string {
		x, ok := s.(*ast.ExprStmt)
		if !ok {
			return ""
		}
		c, ok := x.X.(*ast.CallExpr)
		if !ok {
			return ""
		}
		switch fun := c.Fun.(type) {
		case *ast.Ident:
			return fun.Name
		case *ast.SelectorExpr:
			return fun.Sel.Name
		}
		return ""
	}
	refuses := func(body []ast.Stmt) bool {
		return slices.ContainsFunc(body, func(s ast.Stmt) bool { return slices.Contains(refusers, called(s)) })
	}
	var operands func(e ast.Expr, ops ...token.Token) []ast.Expr
	operands = func(e ast.Expr, ops ...token.Token) []ast.Expr {
		switch x := e.(type) {
		case *ast.ParenExpr:
			return operands(x.X, ops...)
		case *ast.BinaryExpr:
			if slices.Contains(ops, x.Op) {
				return append(operands(x.X, ops...), operands(x.Y, ops...)...)
			}
		}
		return []ast.Expr{e}
	}
	guard := func(e ast.Expr) {
		for _, x := range operands(e, token.LOR) {
			add(x, "not refused", "(sideCondition(%d) && (", "))")
		}
	}
	truth := func(e ast.Expr) {
		for _, x := range operands(e, token.LAND, token.LOR) {
			switch y := x.(type) {
			case *ast.Ident: // a value found before
			case *ast.BinaryExpr, *ast.CallExpr, *ast.UnaryExpr:
				add(y, "taken for true", "(!sideCondition(%d) || (", "))")
			}
		}
	}
	logical := func(e ast.Expr) bool {
		x, ok := e.(*ast.BinaryExpr)
		return ok && (x.Op == token.LAND || x.Op == token.LOR)
	}
	var inspect func(n ast.Node, boolean bool)
	inspect = func(n ast.Node, boolean bool) {
		ast.Inspect(n, func(m ast.Node) bool {
			switch s := m.(type) {
			case *ast.FuncLit:
				r := s.Type.Results
				inspect(s.Body, r != nil && r.NumFields() == 1 && fmt.Sprint(r.List[0].Type) == "bool")
				return false
			case *ast.IfStmt:
				if refuses(s.Body.List) {
					guard(s.Cond)
				}
			case *ast.SwitchStmt:
				for _, c := range s.Body.List {
					clause := c.(*ast.CaseClause)
					if s.Tag == nil && refuses(clause.Body) {
						for _, e := range clause.List {
							guard(e)
						}
					}
				}
			case *ast.ReturnStmt:
				if boolean && len(s.Results) == 1 {
					truth(s.Results[0])
				}
			case *ast.AssignStmt:
				if len(s.Rhs) == 1 && logical(s.Rhs[0]) {
					truth(s.Rhs[0])
				}
			case *ast.ExprStmt:
				if name := called(s); name != "" && !slices.Contains(accountants, name) && !slices.Contains(refusers, name) {
					add(s, "not called", "if sideCondition(%d) { ", " }")
				}
			}
			return true
		})
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		function = fn.Name.Name
		r := fn.Type.Results
		inspect(fn.Body, r != nil && r.NumFields() == 1 && fmt.Sprint(r.List[0].Type) == "bool")
	}
	return out, nil
}

// armed is the text of a file in which each condition holds unless it is the one dropped; the first has this number.
func armed(text []byte, cs []condition, first int) []byte {
	type edit struct {
		at, nesting int
		text        string
	}
	var edits []edit
	for i, c := range cs {
		// Of two edits at one place, the wider node opens first and closes last.
		edits = append(edits, edit{c.from, -(c.to - c.from), fmt.Sprintf(c.before, first+i)}, edit{c.to, c.to - c.from, c.after})
	}
	slices.SortStableFunc(edits, func(a, b edit) int {
		if a.at != b.at {
			return a.at - b.at
		}
		// What closes at a place does so before anything opens there.
		return map[bool]int{true: a.nesting - b.nesting, false: b.nesting - a.nesting}[(a.nesting > 0) == (b.nesting > 0)]
	})
	var out bytes.Buffer
	at := 0
	for _, e := range edits {
		out.Write(text[at:e.at])
		out.WriteString(e.text)
		at = e.at
	}
	out.Write(text[at:])
	return out.Bytes()
}

// rooms are the trusted packages with the files whose side conditions are dropped.
var rooms = map[string][]string{
	"kernel": {"rules_equal.go", "rules_order.go", "rules_definite.go", "rules_count.go", "rules_motion.go", "rules_orbit.go", "unfold.go", "expect.go", "context.go", "theorem.go", "form.go"},
	"model":  {"refute.go", "eval.go", "expect.go", "count.go"},
}

// surviving are the conditions without which all tests of the room pass, with the reason why nothing false follows.
var surviving = map[string]string{
	"kernel/rules_equal.go constant: a.define(t), not called":                                           "Apply asks that the goal's terms have values",
	"kernel/rules_equal.go thin: p.ctx.time != AtState, not refused":                                    "only state contexts have theorems of a state goal",
	"kernel/rules_equal.go modulo: h.scalar != e[0].scalar, not refused":                                "a number has no rows, and a matrix has",
	"kernel/rules_equal.go inverseOf: e[0].args[1].scalar, not refused":                                 "a matrix times a number has the number first",
	"kernel/unfold.go partial: derive(q) != nil, taken for true":                                        "more terms are asked to have values",
	"kernel/unfold.go Parts: d.begin(t), not called":                                                    "it bounds work",
	"kernel/context.go AddMoment: m.scalar, not refused":                                                "a number has no rows, and a matrix has",
	"kernel/context.go addEquation: x.scalar != rhs.scalar, not refused":                                "a number has no rows, and a matrix has",
	"kernel/form.go formula: terms[0].scalar != terms[1].scalar, not refused":                           "a number has no rows, and a matrix has",
	"model/expect.go mentionsRandom: random(t), taken for true":                                         "it decides where a term is evaluated, and by which bound, not its value",
	"model/count.go polynomial: fr.cmp(fr.valueAt(p, integer(int64(at))), value(at)) != 0, not refused": "the degree that is found is never too small",
	"kernel/theorem.go RuleNames: sort.Strings(names), not called":                                      "the order of a list for readers",
}

// only restricts the conditions that are dropped.
var only = flag.String("only", "", "drop the side conditions that match this `REGEXP` alone, as in refute.go.escapes")

// dropper compiles the tests of a room once, with every condition of the files behind a switch.
type dropper struct {
	room, binary string
	conditions   []condition
}

func newDropper(t *testing.T, room string, files []string) *dropper {
	t.Helper()
	d := &dropper{room: room}
	dir, err := filepath.Abs(room)
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	replace := map[string]string{}
	put := func(name string, text []byte) {
		path := filepath.Join(tmp, filepath.Base(name))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(dir, filepath.Base(name))] = path
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		cs, err := conditions(file, text)
		if err != nil {
			t.Fatal(err)
		}
		put(file, armed(text, cs, 1+len(d.conditions)))
		d.conditions = append(d.conditions, cs...)
	}
	put("side_condition.go", fmt.Appendf(nil, `package %s

import (
	"os"
	"strconv"
)

var dropped, _ = strconv.Atoi(os.Getenv("STOPGRAD_DROPPED"))

func sideCondition(k int) bool { return k != dropped }
`, room))
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(tmp, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	d.binary = filepath.Join(tmp, room+".test")
	out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", path, "-o", d.binary, "./"+room).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return d
}

// slow are the tests of a room that take most of its time; they are run where the others notice nothing.
var slow = map[string]string{"kernel": "LongWords|NormalForm|Bernstein", "model": "Agreement|Limits"}

// red reports whether the room's tests, without the slow ones or those alone, fail without the condition of this number (0 is
// none). A test that does not come to an end counts as one that fails.
func (d *dropper) red(k int, alone bool) bool {
	which := "-test.skip=" + slow[d.room]
	if alone {
		which = "-test.run=" + slow[d.room]
	}
	cmd := exec.Command(d.binary, "-test.failfast", "-test.short", "-test.timeout=5m", which)
	cmd.Dir = d.room
	cmd.Env = append(os.Environ(), fmt.Sprintf("STOPGRAD_DROPPED=%d", k), "STOPGRAD_LONG=")
	return cmd.Run() != nil
}

// unnoticed lists the numbers among these without whose conditions the tests pass.
func (d *dropper) unnoticed(t *testing.T, among []int, alone bool) (out []int) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	next := make(chan int)
	for range 2 {
		wait.Go(func() {
			for k := range next {
				if !d.red(k, alone) {
					mu.Lock()
					t.Logf("passes without %d: %s", k, d.conditions[k-1])
					out = append(out, k)
					mu.Unlock()
				}
			}
		})
	}
	for _, k := range among {
		next <- k
	}
	close(next)
	wait.Wait()
	return out
}

// TestEverySideConditionIsNeeded drops each side condition of kernel and model once, and requires that a test of the room
// turns red. It takes a process a condition, so it runs only when asked:
//
//	STOPGRAD_LONG=1 go test ./theory -run EverySideCondition -timeout 6h -v
//	STOPGRAD_LONG=1 go test ./theory -run EverySideCondition/model -timeout 6h -v -only 'refute.go (escapes|lasting)'
func TestEverySideConditionIsNeeded(t *testing.T) {
	if os.Getenv("STOPGRAD_LONG") == "" {
		t.Skip("a process for each of the kernel's conditions: STOPGRAD_LONG is not set")
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{"kernel", "model"} {
		t.Run(room, func(t *testing.T) {
			d := newDropper(t, room, rooms[room])
			if d.red(0, false) || d.red(0, true) {
				t.Fatal("the tests fail with every condition in place")
			}
			var all []int
			for k, c := range d.conditions {
				if wanted.MatchString(c.String()) {
					all = append(all, k+1)
				}
			}
			survived := map[string]bool{}
			for _, k := range d.unnoticed(t, d.unnoticed(t, all, false), true) {
				survived[d.conditions[k-1].String()] = true
			}
			for _, c := range slices.Sorted(maps.Keys(survived)) {
				if surviving[room+"/"+c] == "" {
					t.Errorf("nothing turns red without %s", c)
				}
			}
			for c := range surviving {
				if own, ok := strings.CutPrefix(c, room+"/"); ok && wanted.MatchString(own) && !survived[own] {
					t.Errorf("%s is listed as surviving, and a test turns red without it", own)
				}
			}
			t.Logf("%d conditions dropped, one at a time: %d turn a test red, %d do not", len(all), len(all)-len(survived), len(survived))
		})
	}
}

// The rewriting finds the conditions of each kind, and dropping one changes what it guards and nothing else.
func TestConditionsAreFound(t *testing.T) {
	const text = `package p

func rule(a, b int) bool {
	if a > 0 || b > 0 {
		refuse("no")
	}
	switch {
	case a < b:
		fail("no")
	}
	check(a)
	spend(b)
	ok := a == 1 && b == 2
	return ok || a == b
}
`
	cs, err := conditions("p.go", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cs {
		got = append(got, c.text+" "+c.how)
	}
	want := []string{"a > 0 not refused", "b > 0 not refused", "a < b not refused", "check(a) not called", "a == 1 taken for true",
		"b == 2 taken for true", "a == b taken for true"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, not %q", got, want)
	}
	const after = `package p

func rule(a, b int) bool {
	if (sideCondition(5) && (a > 0)) || (sideCondition(6) && (b > 0)) {
		refuse("no")
	}
	switch {
	case (sideCondition(7) && (a < b)):
		fail("no")
	}
	if sideCondition(8) { check(a) }
	spend(b)
	ok := (!sideCondition(9) || (a == 1)) && (!sideCondition(10) || (b == 2))
	return ok || (!sideCondition(11) || (a == b))
}
`
	if s := string(armed([]byte(text), cs, 5)); s != after {
		t.Errorf("armed as\n%s", s)
	}
	for _, files := range rooms {
		if len(files) == 0 {
			t.Error("a room without files")
		}
	}
	n := 0
	for room, files := range rooms {
		for _, file := range files {
			b, err := os.ReadFile(filepath.Join(room, file))
			if err != nil {
				t.Fatal(err)
			}
			cs, err := conditions(file, b)
			if err != nil {
				t.Fatal(err)
			}
			n += len(cs)
			if _, err := parser.ParseFile(token.NewFileSet(), file, armed(b, cs, 1), 0); err != nil {
				t.Errorf("%s does not parse with its conditions armed: %v", file, err)
			}
		}
	}
	t.Logf("%d conditions", n)
	if n < 500 {
		t.Errorf("only %d conditions are found; the test has lost its reach", n)
	}
}
