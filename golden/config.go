package golden

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Config is the recipe of a golden: a JSON object that holds every hyper-parameter and whatever else makes a run
// reproducible. Its canonical JSON is hashed; two runs are of one recipe exactly when the hashes agree.
//
// Rules read the members named by the Key constants, which are paths into the object. They are the names that the
// training configuration of this project has in JSON, so that a recorder embeds it as it is.
type Config struct {
	tree *node
}

// Paths of the members that rules read.
const (
	KeyMethod     = "method" // MethodDirectPred, MethodDirectCopy, MethodDirectSet or any other name
	KeySteps      = "steps"  // optimiser steps
	KeyLoss       = "loss.kind"
	KeyBothViews  = "loss.both_directions" // the loss is summed over both assignments of the two views
	KeyLR         = "optimizer.lr"
	KeyWD         = "optimizer.wd" // η, a term of the gradient
	KeyMomentum   = "optimizer.momentum"
	KeyDecay      = "optimizer.predictor_decay" // DecayTheory or DecayTorch
	KeyAlphaP     = "predictor.rate_ratio"      // α_p: the predictor learns at α_p·lr
	KeySymmetrise = "predictor.symmetrize"      // W_p is replaced by its symmetric part after every step
	KeyTarget     = "target.kind"               // TargetEMA when the target network is an average
	KeyEMA        = "target.momentum"           // m in W_a ← mW_a + (1−m)W
	KeyDirect     = "direct"                    // object that only methods with W_p set from F̂ have
	KeyFormula    = "direct.formula"            // FormulaCode or FormulaSlide
	KeyMoment     = "direct.moment"             // MomentSame or another: F̂ estimates E[ffᵀ], or is not semidefinite
	KeyRho        = "direct.rho"                // ρ in F̂ ← ρF̂ + (1−ρ)F
	KeyEps        = "direct.epsilon"            // ε
	KeyGamma      = "direct.gamma"              // power γ of MethodDirectSet
	KeyFreq       = "direct.freq"               // W_p is set at the end of step t when (t−1) mod freq = 0
	KeyEtaT       = "derived.eta_t"             // total decay lr·wd·steps/(1−momentum)
	KeyEMASteps   = "derived.ema_steps"         // (1−m)·steps, when the target is an average
)

// Values that rules know.
const (
	MethodDirectPred = "directpred" // γ = ½
	MethodDirectCopy = "directcopy" // γ = 1
	MethodDirectSet  = "directset"  // γ of the recipe
	LossEuclidean    = "euclidean"  // (1/2N) Σ ‖W_p f₁ − f_a₂‖²
	DecayTheory      = "theory"     // the predictor's decay coefficient is wd/α_p
	DecayTorch       = "torch"      // it is wd
	TargetEMA        = "ema"
	FormulaCode      = "code"  // p_j = max((s_j/s_max)^γ + ε, 1e-4)
	FormulaSlide     = "slide" // DirectPred: p_j = √s_j + ε·s_max; DirectCopy, DirectSet: p_j = s_j^γ + ε
	MomentSame       = "same"  // E[ffᵀ] over the views
)

// NewConfig returns the recipe whose JSON is that of v, which must be an object, completed with the members that
// follow from others when the optimiser's members are there. It returns an error for a value that JSON cannot hold or
// for an integer that a float64 does not hold exactly, whose hash would not be its own.
func NewConfig(v any) (Config, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return Config{}, fmt.Errorf("golden: config: %w", err)
	}
	n, err := parseJSON(text, false)
	if err != nil {
		return Config{}, fmt.Errorf("golden: config: %w", err)
	}
	if n.kind != objectNode {
		return Config{}, fmt.Errorf("golden: config: expected object, found %s", n.kind)
	}
	c := Config{tree: n}
	derived, err := c.derived()
	if err != nil || derived == nil {
		return c, err
	}
	n.members = slices.DeleteFunc(n.members, func(m member) bool { return m.key == "derived" })
	n.members = append(n.members, member{key: "derived", value: derived})
	return c, nil
}

// derived returns the object of members that follow from others: eta_t, and ema_steps for an averaged target. It
// returns nil for a config without optimiser.
func (c Config) derived() (*node, error) {
	if !c.Has("optimizer") {
		return nil, nil
	}
	var lr, wd, momentum, steps float64
	if err := c.numbers(KeyLR, &lr, KeyWD, &wd, KeyMomentum, &momentum, KeySteps, &steps); err != nil {
		return nil, err
	}
	if momentum < 0 || momentum >= 1 {
		return nil, refuse("config."+KeyMomentum, "%g is outside [0, 1)", momentum)
	}
	number := func(key string, x float64) member {
		_, name, _ := strings.Cut(key, ".")
		return member{key: name, value: &node{kind: numberNode, number: x}}
	}
	d := &node{kind: objectNode, members: []member{number(KeyEtaT, lr*wd*steps/(1-momentum))}}
	if kind, err := c.Text(KeyTarget); err == nil && kind == TargetEMA {
		m, err := c.Number(KeyEMA)
		if err != nil {
			return nil, err
		}
		d.members = append(d.members, number(KeyEMASteps, (1-m)*steps))
	}
	return d, nil
}

// Direct reports whether the method sets W_p from F̂.
func (c Config) Direct() bool {
	m, _ := c.Text(KeyMethod)
	return m == MethodDirectPred || m == MethodDirectCopy || m == MethodDirectSet
}

// find returns the node at a dotted path, or nil.
func (c Config) find(path string) *node {
	n := c.tree
	for key := range strings.SplitSeq(path, ".") {
		if n == nil || n.kind != objectNode {
			return nil
		}
		n = n.get(key)
	}
	return n
}

// Has reports whether the path names a member.
func (c Config) Has(path string) bool { return c.find(path) != nil }

// Number returns the number at a path, or an error naming it.
func (c Config) Number(path string) (float64, error) {
	n := c.find(path)
	switch {
	case n == nil:
		return 0, refuse("config."+path, "missing")
	case n.kind != numberNode:
		return 0, mistyped(n, "config."+path, numberNode)
	}
	return n.number, nil
}

// Text returns the string at a path, or an error naming it.
func (c Config) Text(path string) (string, error) {
	n := c.find(path)
	switch {
	case n == nil:
		return "", refuse("config."+path, "missing")
	case n.kind != stringNode:
		return "", mistyped(n, "config."+path, stringNode)
	}
	return n.text, nil
}

// flag returns the boolean at a path; an absent one is false.
func (c Config) flag(path string) (bool, error) {
	n := c.find(path)
	switch {
	case n == nil:
		return false, nil
	case n.kind != boolNode:
		return false, mistyped(n, "config."+path, boolNode)
	}
	return n.boolean, nil
}

// numbers fills each destination with the number at the path before it.
func (c Config) numbers(pairs ...any) error {
	for i := 0; i < len(pairs); i += 2 {
		x, err := c.Number(pairs[i].(string))
		if err != nil {
			return err
		}
		*pairs[i+1].(*float64) = x
	}
	return nil
}

// predictorDecay returns the coefficient that multiplies W_p in the predictor's gradient.
func (c Config) predictorDecay() (float64, error) {
	var wd, alpha float64
	if err := c.numbers(KeyWD, &wd, KeyAlphaP, &alpha); err != nil {
		return 0, err
	}
	switch decay, err := c.Text(KeyDecay); {
	case err != nil:
		return 0, err
	case decay == DecayTheory:
		return wd / alpha, nil
	case decay == DecayTorch:
		return wd, nil
	default:
		return 0, refuse("config."+KeyDecay, "unknown convention %q; known: %s, %s", decay, DecayTheory, DecayTorch)
	}
}

// power returns γ of a direct method.
func (c Config) power() (float64, error) {
	switch m, err := c.Text(KeyMethod); {
	case err != nil:
		return 0, err
	case m == MethodDirectPred:
		return 0.5, nil
	case m == MethodDirectCopy:
		return 1, nil
	}
	return c.Number(KeyGamma)
}

// MarshalJSON returns the object.
func (c Config) MarshalJSON() ([]byte, error) {
	if c.tree == nil {
		return nil, errors.New("golden: config is empty; make it with NewConfig")
	}
	return canonical(nil, c.tree, ""), nil
}

func (c *Config) bindNode(n *node, path string) error {
	if n.kind != objectNode {
		return mistyped(n, path, objectNode)
	}
	c.tree = n
	return nil
}

// SHA256 returns the hash of the canonical JSON of c.
func (c Config) SHA256() (string, error) {
	text, err := c.MarshalJSON()
	if err != nil {
		return "", err
	}
	return hexSHA256(text), nil
}
