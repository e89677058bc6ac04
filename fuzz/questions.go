package fuzz

import (
	_ "embed"
	"fmt"
	"sync"

	"stopgrad/theory"
	"stopgrad/theory/lang"
)

//go:embed questions.claim
var questionsText string

// questionFile parses the questions together with the built-in systems.
var questionFile = sync.OnceValues(func() (*lang.File, error) {
	sources, err := theory.Sources()
	if err != nil {
		return nil, err
	}
	// The claims of the theory have ids that the questions share; only its systems are wanted, which the first
	// source holds.
	f, err := lang.Parse(sources[0], lang.Source{Name: "fuzz/questions.claim", Text: questionsText})
	if err != nil {
		return nil, fmt.Errorf("fuzz: %w", err)
	}
	return f, nil
})

// questionsOf returns the formal questions that belong to a claim of the theory.
func questionsOf(claim string) ([]Target, error) {
	f, err := questionFile()
	if err != nil {
		return nil, err
	}
	var out []Target
	if c := f.Claim(claim); c != nil {
		for _, p := range c.Parts {
			out = append(out, Target{Claim: claim, Name: p.Name, Reading: Question, Part: p})
		}
	}
	return out, nil
}
