package fuzz_test

import (
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand"
	"sync"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
	"github.com/leanovate/gopter/gen"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/ode"
	"stopgrad/props/equations"
	"stopgrad/props/shrink"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

type exact = eval.Matrix[*big.Rat]

// descentSystem is the map of plain gradient descent with weight decay, in the claims' own text, and the statement
// about its balance (claim thm1-discrete).
var descentSystem = sync.OnceValues(func() (*lang.Env, *lang.Part) {
	env, err := equations.Env("descent")
	if err != nil {
		panic(err)
	}
	f, err := theory.Load()
	if err != nil {
		panic(err)
	}
	for _, p := range f.Claim("thm1-discrete").Parts {
		if p.Name == "step" {
			return env, p
		}
	}
	panic("claim thm1-discrete has no part step")
})

// reference is a training run in exact numbers: a predictor, an encoder and a moving-average target on data with the
// moments X, X'. It is a value: its methods return another.
type reference struct {
	n2, n1               int
	alpha, eta, beta, lr *big.Rat
	wp, w, wa, x, xp     exact
	bound                float64 // on the distance of a float64 run from it
	steps                int     // since its numbers were last short
	size                 float64 // of the terms of the last step
}

func rats(r, c int, a ...*big.Rat) exact { return exact{R: r, C: c, A: a} }

func mulExact(a, b exact) exact {
	m := rats(a.R, b.C)
	for i := range a.R {
		for j := range b.C {
			s := new(big.Rat)
			for k := range a.C {
				s.Add(s, new(big.Rat).Mul(a.At(i, k), b.At(k, j)))
			}
			m.A = append(m.A, s)
		}
	}
	return m
}

func addExact(a, b exact, c *big.Rat) exact { // a + c·b
	m := rats(a.R, a.C)
	for i := range a.A {
		m.A = append(m.A, new(big.Rat).Add(a.A[i], new(big.Rat).Mul(c, b.A[i])))
	}
	return m
}

func normExact(ms ...exact) float64 {
	s := 0.0
	for _, m := range ms {
		for _, v := range m.A {
			f, _ := v.Float64()
			s = math.Hypot(s, f)
		}
	}
	return s
}

// gradientOf is G = Wp·W·(X+X') − Wa·X, the gradient of the objective in the product Wp·W (claim lemma1).
func (m reference) gradientOf() exact {
	one := big.NewRat(1, 1)
	return addExact(mulExact(mulExact(m.wp, m.w), addExact(m.x, m.xp, one)), mulExact(m.wa, m.x), big.NewRat(-1, 1))
}

// state is the reference as a state of the system descent.
func (m reference) state() eval.State[*big.Rat] {
	return eval.State[*big.Rat]{
		Dims: map[lang.Dim]int{"n1": m.n1, "n2": m.n2},
		Vals: map[string]exact{
			"alpha": eval.ScalarOf(m.alpha), "eta": eval.ScalarOf(m.eta), "beta": eval.ScalarOf(m.beta), "lr": eval.ScalarOf(m.lr),
			"Wp": m.wp, "W": m.w, "G": m.gradientOf(),
		},
	}
}

// step is one step of descent, by the claims' own map, and of the moving average Wa ← Wa + lr·β(W − Wa). It checks that
// the one-step identity of the balance holds exactly, and bounds how far a float64 run that was within bound can be
// from it after the step: the step stretches a distance e by at most 1 + lr·L(e), L the Lipschitz constant of the right-
// hand side on that ball, and is itself off by roundings.
func (m reference) step() (reference, error) {
	env, identity := descentSystem()
	st := m.state()
	f, err := eval.Judge(eval.Rational{}, identity, st)
	if err != nil {
		return m, err
	}
	if !f.Met || !f.Holds {
		return m, fmt.Errorf("the one-step identity fails at %s", shrink.Format(st))
	}
	ev, err := eval.New(eval.Rational{}, env, st)
	if err != nil {
		return m, err
	}
	after := func(name string) exact {
		v, e := ev.Eval(lang.NewCall(lang.Pos{}, "next", lang.NewSym(lang.Pos{}, name)))
		if e != nil {
			err = e
		}
		return v
	}
	next := m
	next.wp, next.w = after("Wp"), after("W")
	next.wa = addExact(m.wa, addExact(m.w, m.wa, big.NewRat(-1, 1)), new(big.Rat).Mul(m.lr, m.beta))
	if err != nil {
		return m, err
	}
	num := func(r *big.Rat) float64 { v, _ := r.Float64(); return math.Abs(v) }
	lr, alpha, eta, beta := num(m.lr), num(m.alpha), num(m.eta), num(m.beta)
	p, w, wa := normExact(m.wp)+m.bound, normExact(m.w)+m.bound, normExact(m.wa)+m.bound
	x, both := normExact(m.x), normExact(m.x)+normExact(m.xp)
	r := p*w*both + wa*x
	slope := alpha*((w*both+p*both+x)*w+r) + eta + r + p*(w*both+p*both+x) + eta + 2*beta
	size := normExact(m.wp, m.w, m.wa) + m.bound + lr*(alpha*r*w+eta*p+p*r+eta*w+beta*(w+wa))
	next.bound = m.bound*(1+lr*slope) + gamma*size
	next.steps++
	next.size = size
	return next, nil
}

// distance is how far a float64 run is from the reference.
func (m reference) distance(y []float64) float64 {
	s := 0.0
	at := 0
	for _, b := range []exact{m.wp, m.w, m.wa} {
		for _, v := range b.A {
			d, _ := new(big.Rat).Sub(v, new(big.Rat).SetFloat64(y[at])).Float64()
			s = math.Hypot(s, d)
			at++
		}
	}
	return s
}

// anchored is the reference at the very numbers of a float64 run.
func (m reference) anchored(y []float64) reference {
	at := 0
	take := func(old exact) exact {
		b := rats(old.R, old.C)
		for range old.A {
			b.A = append(b.A, new(big.Rat).SetFloat64(y[at]))
			at++
		}
		return b
	}
	m.wp, m.w, m.wa = take(m.wp), take(m.w), take(m.wa)
	m.bound, m.steps = 0, 0
	return m
}

// longest is how many steps the reference goes without being anchored: every step makes its numbers five times as long.
const longest = 3

// training is the system under test: gradient descent with decay and a moving average as explicit Euler steps of the
// flow lemma1 (claim lr-mapping), in float64.
type training struct {
	s  *flow.State
	lr float64
	y  []float64
	// step makes one step of the packed weights; a test may put a wrong one in its place.
	step func(tr *training) error
}

func floats(m exact) *mat.Dense {
	d := mat.NewDense(m.R, m.C, nil)
	for i, v := range m.A {
		f, _ := v.Float64()
		d.Set(i/m.C, i%m.C, f)
	}
	return d
}

func newTraining(m reference, step func(*training) error) (*training, error) {
	s := flow.NewState()
	s.Alpha, _ = m.alpha.Float64()
	s.Eta, _ = m.eta.Float64()
	s.Beta, _ = m.beta.Float64()
	s.Wp, s.W, s.Wa, s.X, s.Xp = floats(m.wp), floats(m.w), floats(m.wa), floats(m.x), floats(m.xp)
	tr := &training{s: s, step: step}
	tr.lr, _ = m.lr.Float64()
	sys, _, err := tr.field()
	if err != nil {
		return nil, err
	}
	tr.y = sys.Initial()
	return tr, nil
}

// field is the flow with the present parameters.
func (tr *training) field() (*flow.System, ode.RHS, error) {
	f, err := flow.ByName("lemma1")
	if err != nil {
		return nil, nil, err
	}
	sys, err := f.Bind(tr.s)
	if err != nil {
		return nil, nil, err
	}
	return sys, sys.RHS(), nil
}

// euler is y ← y + lr·f(y).
func euler(tr *training) error {
	_, rhs, err := tr.field()
	if err != nil {
		return err
	}
	dy := make([]float64, len(tr.y))
	rhs(0, tr.y, dy)
	for i := range dy {
		tr.y[i] += tr.lr * dy[i]
	}
	return nil
}

// target returns the packed Wa and W, aliased.
func (tr *training) target() (wa, w []float64) {
	n2, n1 := tr.s.W.Dims()
	return tr.y[n2*n2+n2*n1:], tr.y[n2*n2 : n2*n2+n2*n1]
}

// wrongSteps are planted errors: steps that optimisers take by mistake.
var wrongSteps = map[string]func(*training) error{
	// torch's weight decay enters the gradient, which α multiplies (claim wd-units).
	"the predictor decays at αη": func(tr *training) error {
		before := append([]float64(nil), tr.y...)
		if err := euler(tr); err != nil {
			return err
		}
		n2, _ := tr.s.W.Dims()
		for i := range n2 * n2 {
			tr.y[i] += tr.lr * tr.s.Eta * (1 - tr.s.Alpha) * before[i]
		}
		return nil
	},
	"the predictor moves first": func(tr *training) error {
		before := append([]float64(nil), tr.y...)
		if err := euler(tr); err != nil {
			return err
		}
		n2, _ := tr.s.W.Dims()
		moved := append(append([]float64(nil), tr.y[:n2*n2]...), before[n2*n2:]...)
		_, rhs, err := tr.field()
		if err != nil {
			return err
		}
		dy := make([]float64, len(moved))
		rhs(0, moved, dy)
		for i := n2 * n2; i < len(moved); i++ {
			tr.y[i] = moved[i] + tr.lr*dy[i]
		}
		return nil
	},
	"the average follows the new weights": func(tr *training) error {
		wa, _ := tr.target()
		before := append([]float64(nil), wa...)
		if err := euler(tr); err != nil {
			return err
		}
		wa, w := tr.target()
		for i := range wa {
			wa[i] = before[i] + tr.lr*tr.s.Beta*(w[i]-before[i])
		}
		return nil
	},
	"single precision": func(tr *training) error {
		if err := euler(tr); err != nil {
			return err
		}
		for i, v := range tr.y {
			tr.y[i] = float64(float32(v))
		}
		return nil
	},
}

// small numbers keep descent near where it is stable for a few steps, and their digits few.
var (
	rates   = []*big.Rat{big.NewRat(1, 4), big.NewRat(1, 2), big.NewRat(1, 16), big.NewRat(1, 1), big.NewRat(1, 64)}
	decays  = []*big.Rat{big.NewRat(1, 8), new(big.Rat), big.NewRat(1, 2), big.NewRat(1, 32)}
	alphas  = []*big.Rat{big.NewRat(1, 1), big.NewRat(2, 1), big.NewRat(1, 2), big.NewRat(5, 4)}
	entries = []*big.Rat{new(big.Rat), big.NewRat(1, 1), big.NewRat(-1, 2), big.NewRat(1, 4), big.NewRat(-1, 1), big.NewRat(3, 8)}
)

// newReference draws a run: choose returns one of n.
func newReference(choose func(n int) int) reference {
	m := reference{n2: 1 + choose(3), n1: 1 + choose(3), alpha: alphas[choose(len(alphas))], eta: decays[choose(len(decays))],
		beta: decays[choose(len(decays))], lr: rates[choose(len(rates))]}
	fill := func(r, c int) exact {
		b := rats(r, c)
		for range r * c {
			b.A = append(b.A, entries[choose(len(entries))])
		}
		return b
	}
	m.wp, m.w, m.wa = fill(m.n2, m.n2), fill(m.n2, m.n1), fill(m.n2, m.n1)
	// Second moments: B·Bᵀ.
	square := func() exact {
		b := fill(m.n1, m.n1)
		t := rats(m.n1, m.n1)
		for i := range m.n1 {
			for j := range m.n1 {
				t.A = append(t.A, b.At(j, i))
			}
		}
		return mulExact(b, t)
	}
	m.x, m.xp = square(), square()
	return m
}

// farthest is the size beyond which a run is given up: descent with a finite rate may diverge (claim bounded-vs-gd).
const farthest = 1e4

// balanceOf returns α·D = α·W·Wᵀ − Wpᵀ·Wp of the packed weights, and a bound on its rounding.
func (tr *training) balanceOf() (d *mat.Dense, rounding float64) {
	n2, n1 := tr.s.W.Dims()
	wp := mat.NewDense(n2, n2, append([]float64(nil), tr.y[:n2*n2]...))
	w := mat.NewDense(n2, n1, append([]float64(nil), tr.y[n2*n2:n2*n2+n2*n1]...))
	d = linear(tr.s.Alpha, product(w, w.T()), -1.0, product(wp.T(), wp))
	return d, gamma * (math.Abs(tr.s.Alpha)*norm(w)*norm(w) + norm(wp)*norm(wp))
}

// descentMachine is a machine whose invariant is that the float64 run stays within the bound of the exact one.
func descentMachine(step func(*training) error) func(*rapid.T) {
	return func(t *rapid.T) {
		choose := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }
		m := newReference(choose)
		tr, err := newTraining(m, step)
		if err != nil {
			t.Fatal(err)
		}
		// The balance as the chain of one-step identities predicts it, from the float64 run's own weights.
		chain, chainBound := tr.balanceOf()
		t.Repeat(map[string]func(*rapid.T){
			"step": func(t *rapid.T) {
				if normExact(m.wp, m.w, m.wa) > farthest || m.bound > 1 {
					t.Skip("no step left: the run diverges, and the bound with it")
				}
				if m.steps == longest {
					m = m.anchored(tr.y)
				}
				next, err := m.step()
				if err != nil {
					t.Fatal(err)
				}
				increment, size := chainIncrement(tr)
				if err := tr.step(tr); err != nil {
					t.Fatal(err)
				}
				shrunk := (1 - tr.lr*tr.s.Eta) * (1 - tr.lr*tr.s.Eta)
				chain = linear(shrunk, chain, 1.0, increment)
				// γ for the increment's own rounding and for that of the weights, of size next.size, which the balance doubles.
				chainBound = shrunk*chainBound + gamma*(size+norm(chain)) + 2*gamma*(1+tr.s.Alpha)*next.size*next.size
				m = next
			},
			"rate": func(t *rapid.T) {
				m.lr = rapid.SampledFrom(rates).Draw(t, "rate")
				tr.lr, _ = m.lr.Float64()
			},
			"decay": func(t *rapid.T) {
				m.eta = rapid.SampledFrom(decays).Draw(t, "decay")
				tr.s.Eta, _ = m.eta.Float64()
			},
			"copy":   func(*rapid.T) { m.wa = m.w; wa, w := tr.target(); copy(wa, w) },
			"anchor": func(*rapid.T) { m = m.anchored(tr.y) },
			"": func(t *rapid.T) {
				if d := m.distance(tr.y); !(d <= m.bound) {
					t.Fatalf("the float64 run is %.3g from the exact one after %d steps, the bound is %.3g", d, m.steps, m.bound)
				}
				d, rounding := tr.balanceOf()
				if e := norm(linear(1.0, d, -1.0, chain)); !(e <= chainBound+rounding) {
					t.Fatalf("the balance is %.3g from the chain of one-step identities, the bound is %.3g", e, chainBound+rounding)
				}
			},
		})
	}
}

// chainIncrement is lr²(α·Wpᵀ·G·Gᵀ·Wp − α²·W·Gᵀ·G·Wᵀ), what the one-step identity adds to α(1−lr·η)²D, with the size of
// its terms.
func chainIncrement(tr *training) (*mat.Dense, float64) {
	n2, n1 := tr.s.W.Dims()
	wp := mat.NewDense(n2, n2, append([]float64(nil), tr.y[:n2*n2]...))
	w := mat.NewDense(n2, n1, append([]float64(nil), tr.y[n2*n2:n2*n2+n2*n1]...))
	wa := mat.NewDense(n2, n1, append([]float64(nil), tr.y[n2*n2+n2*n1:]...))
	g := linear(1.0, product(wp, w, linear(1.0, tr.s.X, 1.0, tr.s.Xp)), -1.0, product(wa, tr.s.X))
	a, b := product(wp.T(), g), product(w, g.T())
	gs := norm(wp)*norm(w)*(norm(tr.s.X)+norm(tr.s.Xp)) + norm(wa)*norm(tr.s.X)
	lr2 := tr.lr * tr.lr
	return linear(lr2*tr.s.Alpha, product(a, a.T()), -lr2*tr.s.Alpha*tr.s.Alpha, product(b, b.T())),
		lr2 * tr.s.Alpha * gs * gs * (norm(wp)*norm(wp) + tr.s.Alpha*norm(w)*norm(w))
}

// Training in float64 stays within rounding of exact training, whatever happens in which order, and its balance follows
// the one-step identity of claim thm1-discrete.
func TestDescentFollowsTheExactRun(t *testing.T) {
	rapidly(t, "60", descentMachine(euler))
}

// The machine finds every planted error.
func TestDescentMachineFindsWrongSteps(t *testing.T) {
	for name, step := range wrongSteps {
		failed, err := shrink.Falsify(100, 1, time.Millisecond, descentMachine(step))
		if err != nil {
			t.Fatal(err)
		}
		if !failed {
			t.Errorf("%s: not found", name)
		}
	}
}

// descentCommands are the same system and reference for gopter, which draws whole sequences from the states that the
// reference predicts.
func descentCommands(step func(*training) error) *commands.ProtoCommands {
	return &commands.ProtoCommands{
		NewSystemUnderTestFunc: func(s commands.State) commands.SystemUnderTest {
			tr, err := newTraining(s.(reference), step)
			if err != nil {
				panic(err) // the references are well-formed
			}
			return tr
		},
		InitialStateGen: gen.Int64Range(0, math.MaxInt32).Map(func(seed int64) reference {
			rng := rand.New(rand.NewSource(seed))
			return newReference(rng.Intn)
		}),
		GenCommandFunc: func(s commands.State) gopter.Gen {
			var all []gopter.Gen
			for _, r := range rates {
				all = append(all, gen.Const(command(setRate(r))))
			}
			for _, d := range decays[:2] {
				all = append(all, gen.Const(command(setDecay(d))))
			}
			all = append(all, gen.Const(command(copyTarget())), gen.Const(command(oneStep())), gen.Const(command(oneStep())), gen.Const(command(oneStep())))
			return gen.OneGenOf(all...)
		},
	}
}

// command gives every command the same static type, which gopter needs.
func command(c commands.Command) commands.Command { return c }

// near is the condition after every command: the float64 run is within the reference's bound.
func near(s commands.State, r commands.Result) *gopter.PropResult {
	m := s.(reference)
	if d := m.distance(r.([]float64)); !(d <= m.bound) {
		return gopter.NewPropResult(false, fmt.Sprintf("the float64 run is %.3g from the exact one after %d steps, the bound is %.3g", d, m.steps, m.bound))
	}
	return &gopter.PropResult{Status: gopter.PropTrue}
}

func changing(name string, system func(*training), model func(reference) reference) *commands.ProtoCommand {
	return &commands.ProtoCommand{
		Name: name,
		RunFunc: func(s commands.SystemUnderTest) commands.Result {
			tr := s.(*training)
			system(tr)
			return append([]float64(nil), tr.y...)
		},
		NextStateFunc:     func(s commands.State) commands.State { return model(s.(reference)) },
		PostConditionFunc: near,
	}
}

func setRate(r *big.Rat) *commands.ProtoCommand {
	return changing("rate "+r.RatString(), func(tr *training) { tr.lr, _ = r.Float64() }, func(m reference) reference { m.lr = r; return m })
}

func setDecay(d *big.Rat) *commands.ProtoCommand {
	return changing("decay "+d.RatString(), func(tr *training) { tr.s.Eta, _ = d.Float64() }, func(m reference) reference { m.eta = d; return m })
}

func copyTarget() *commands.ProtoCommand {
	return changing("copy", func(tr *training) { wa, w := tr.target(); copy(wa, w) }, func(m reference) reference { m.wa = m.w; return m })
}

// oneStep is possible while the exact numbers are short and the run has not diverged.
func oneStep() *commands.ProtoCommand {
	c := changing("step", func(tr *training) {
		if err := tr.step(tr); err != nil {
			panic(err) // parameters and weights are finite
		}
	}, func(m reference) reference {
		next, err := m.step()
		if err != nil {
			panic(err) // the identity fails, or the claims do not evaluate
		}
		return next
	})
	c.PreConditionFunc = func(s commands.State) bool {
		m := s.(reference)
		return m.steps < longest && normExact(m.wp, m.w, m.wa) < farthest && m.bound < 1
	}
	return c
}

// runCommands runs the commands of a step function under gopter from a fixed seed.
func runCommands(step func(*training) error, sequences int) bool {
	q := gopter.DefaultTestParametersWithSeed(1)
	q.MinSuccessfulTests, q.MaxSize, q.MaxShrinkCount = sequences, 12, 0
	properties := gopter.NewProperties(q)
	properties.Property("descent", commands.Prop(descentCommands(step)))
	return properties.Run(gopter.NewFormatedReporter(false, 75, io.Discard))
}

func TestCommandsFollowTheReference(t *testing.T) {
	const sequences = 60
	if !runCommands(euler, sequences) {
		t.Error("the float64 run leaves the bound of the exact one")
	}
	for name, step := range wrongSteps {
		if runCommands(step, 4*sequences) {
			t.Errorf("%s: not found", name)
		}
	}
}

// A pinned sequence, in which every wrong step shows.
func TestPinnedCommands(t *testing.T) {
	start := reference{n2: 2, n1: 1, alpha: big.NewRat(2, 1), eta: big.NewRat(1, 8), beta: big.NewRat(1, 2), lr: big.NewRat(1, 4),
		wp: rats(2, 2, entries[1], entries[3], entries[2], entries[5]), w: rats(2, 1, entries[1], entries[2]), wa: rats(2, 1, entries[3], entries[0]),
		x: rats(1, 1, entries[1]), xp: rats(1, 1, entries[3])}
	pinned := []commands.Command{oneStep(), copyTarget(), setRate(big.NewRat(1, 3)), oneStep(), setDecay(new(big.Rat)), oneStep()}
	run := func(step func(*training) error, cs ...commands.Command) *gopter.PropResult {
		tr, err := newTraining(start, step)
		if err != nil {
			t.Fatal(err)
		}
		return commands.Replay(tr, start, cs...)
	}
	if r := run(euler, pinned...); !r.Success() {
		t.Errorf("%+v", r)
	}
	for name, step := range wrongSteps {
		if r := run(step, pinned...); r.Success() {
			t.Errorf("%s: not seen", name)
		}
	}
	// A sequence of more steps than the reference can go is not one.
	if r := run(euler, oneStep(), oneStep(), oneStep(), oneStep()); r.Success() {
		t.Error("the condition before a step is not looked at")
	}
}
