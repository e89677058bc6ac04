package equations

import (
	"fmt"

	"stopgrad/theory"
	"stopgrad/theory/lang"
)

// probe is a claim about nothing, through which a system's symbols and flow become an environment.
const probe = "probe"

// Env returns the environment of one of the built-in systems of the theory (lemma1, simsiam, reduced, …).
func Env(system string) (*lang.Env, error) {
	sources, err := theory.Sources()
	if err != nil {
		return nil, err
	}
	return EnvOf(system, sources...)
}

// EnvOf is [Env] for systems declared in other sources.
func EnvOf(system string, sources ...lang.Source) (*lang.Env, error) {
	text := "claim " + probe + "\n  title    the equations of " + system + "\n  uses " + system + "\n  says nothing: 1 == 1\n"
	f, err := lang.Parse(append(append([]lang.Source(nil), sources...), lang.Source{Name: probe, Text: text})...)
	if err != nil {
		return nil, fmt.Errorf("equations: %s: %w", system, err)
	}
	return f.Claim(probe).Parts[0].Env, nil
}
