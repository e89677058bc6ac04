package parity

import (
	"fmt"
	"slices"

	"stopgrad/golden"
	"stopgrad/trainingcheck/recorder"
)

// Rules are the rules about goldens of kind parity, which a verifier adds to those of package golden: they compare a file
// with this program's networks, and not with what the file says of itself.
var Rules = []golden.Rule{
	{Name: "network", Statement: "the golden is named by its engine, arithmetic and network, and has that network's recipe, examples and kernels", Kinds: []golden.Kind{golden.ParityKind}, Check: checkNetwork},
}

func checkNetwork(s *golden.Subject) golden.Outcome {
	g := s.Golden
	refused := func(field, format string, args ...any) golden.Outcome {
		return golden.Failed(&golden.Error{Field: field, Offset: -1, Err: fmt.Errorf(format, args...)})
	}
	c, err := configOf(g)
	if err != nil {
		return refused("config", "%v", err)
	}
	all := Networks()
	i := slices.IndexFunc(all, func(n Network) bool { return ID(g.Provenance.Engine.Name, c.Precision, n.Name) == g.ID })
	if i < 0 {
		return refused("id", "%q is no network of this program in %s on the engine %s", g.ID, c.Precision, g.Provenance.Engine.Name)
	}
	want := all[i].Config
	want.Precision, want.Steps = c.Precision, 1
	switch p := g.Provenance; {
	case string(c.Canonical()) != string(want.Canonical()):
		return refused("config", "this program's network %s has another recipe", all[i].Name)
	case p.Engine.Precision != recorder.Arithmetic(p.Engine.Name, c.Precision):
		return refused("provenance.engine.precision", "%q, and the name says %q", p.Engine.Precision, recorder.Arithmetic(p.Engine.Name, c.Precision))
	case !slices.Equal(p.Kernels, Kernels):
		return refused("provenance.kernels", "%v, and the numbers are computed by %v", p.Kernels, Kernels)
	case p.Data == nil || *p.Data != examples(c.Batch):
		return refused("provenance.data", "%+v, and the views are drawn: %+v", p.Data, examples(c.Batch))
	case g.Status != golden.Informative:
		return refused("status", "%s, and a parity gates no run", g.Status)
	case g.Extra != nil:
		return refused("extra", "set, and a parity has none")
	}
	return golden.Passed("the recipe of %s", all[i].Name)
}
