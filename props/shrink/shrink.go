package shrink

import (
	"errors"
	"flag"
	"fmt"
	"math/big"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stopgrad/theory/eval"
	"stopgrad/theory/sample"
)

// Choices makes every choice of a draw with rapid. Rapid shrinks an integer towards the lower end of its
// range and drops draws that are not needed, and sample.Draw takes 0 for the simplest: a failure shrinks to
// a simple state.
func Choices(t *rapid.T) sample.Chooser { return chooser{t} }

type chooser struct{ t *rapid.T }

func (c chooser) Intn(n int) int { return rapid.IntRange(0, n-1).Draw(c.t, "choice") }

// Format renders a state on one line, names in alphabetical order and matrices by rows.
func Format(st eval.State[*big.Rat]) string {
	var dims, vals []string
	for d, n := range st.Dims {
		dims = append(dims, fmt.Sprintf("%s=%d", d, n))
	}
	for name, m := range st.Vals {
		rows := make([]string, m.R)
		for i := range m.R {
			row := make([]string, m.C)
			for j := range m.C {
				row[j] = m.At(i, j).RatString()
			}
			rows[i] = strings.Join(row, " ")
		}
		vals = append(vals, name+"=["+strings.Join(rows, "; ")+"]")
	}
	sort.Strings(dims)
	sort.Strings(vals)
	return strings.Join(append(dims, vals...), " ")
}

// Falsify runs prop under rapid, checks times from the seed, and reports whether it failed; the last run of
// prop is then the shrunk one. It is for properties that ought to fail: a false statement that no engine
// finds false is a defect of the engine or of the generator.
//
// It sets rapid's flags for the time of the call; one call runs at a time, and none beside rapid.Check. With
// shrinking for no longer than shrinkTime, zero is allowed.
func Falsify(checks int, seed uint64, shrinkTime time.Duration, prop func(*rapid.T)) (failed bool, err error) {
	one.Lock()
	defer one.Unlock()
	if testing.Short() {
		checks *= 5 // of which rapid makes a fifth then: a false statement is to be found false all the same
	}
	for name, value := range map[string]string{
		"rapid.checks": strconv.Itoa(checks), "rapid.seed": strconv.FormatUint(seed, 10),
		"rapid.nofailfile": "true", "rapid.shrinktime": shrinkTime.String(),
	} {
		f := flag.Lookup(name)
		if f == nil {
			return false, errors.New("shrink: rapid has no flag " + name)
		}
		old := f.Value.String()
		if err := flag.Set(name, value); err != nil {
			return false, fmt.Errorf("shrink: %w", err)
		}
		defer flag.Set(name, old)
	}
	rec := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rapid.Check(rec, prop)
	}()
	<-done
	return rec.failed, nil
}

var one sync.Mutex

// recorder is the test that Falsify shows to rapid.
type recorder struct{ failed bool }

func (r *recorder) Helper()               {}
func (r *recorder) Name() string          { return "falsify" }
func (r *recorder) Logf(string, ...any)   {}
func (r *recorder) Log(...any)            {}
func (r *recorder) Skipf(string, ...any)  { runtime.Goexit() }
func (r *recorder) Skip(...any)           { runtime.Goexit() }
func (r *recorder) SkipNow()              { runtime.Goexit() }
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Error(...any)          { r.failed = true }
func (r *recorder) Fatalf(string, ...any) { r.FailNow() }
func (r *recorder) Fatal(...any)          { r.FailNow() }
func (r *recorder) Fail()                 { r.failed = true }
func (r *recorder) Failed() bool          { return r.failed }

// FailNow ends the goroutine, as that of testing.T does.
func (r *recorder) FailNow() {
	r.failed = true
	runtime.Goexit()
}
