package method

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
)

func TestPresetsAreValidUnderEveryMethod(t *testing.T) {
	for name, c := range map[string]Config{"linear": LinearGaussian(), "digits": Digits(), "mini": DigitsMini(), "cifar": CIFAR(), "cifar small": CIFARSmall()} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		hashes := map[string]Method{}
		for _, m := range Methods {
			v, err := c.As(m)
			if err != nil {
				t.Errorf("%s as %s: %v", name, m, err)
				continue
			}
			if other, ok := hashes[v.Hash()]; ok {
				t.Errorf("%s: %s and %s have one hash", name, m, other)
			}
			hashes[v.Hash()] = m
			// As must be stable and, back at the start, change nothing.
			if w, err := v.As(m); err != nil || w.Hash() != v.Hash() {
				t.Errorf("%s as %s twice: %v, %v", name, m, err, w)
			}
		}
	}
	if got := Digits().TotalDecay(); math.Abs(got-5) > 1e-12 {
		t.Errorf("digits: ηt = %v, want 0.05·0.01·1000/(1−0.9) = 5", got)
	}
	if got := LinearGaussian().TotalDecay(); math.Abs(got-4) > 1e-12 {
		t.Errorf("linear: ηt = %v, want 0.02·0.04·5000 = 4", got)
	}
	if got := Digits().TargetHorizon(); math.Abs(got-10) > 1e-9 {
		t.Errorf("digits: (1−m)·steps = %v, want 10", got)
	}
}

// TestValidateNamesTheField breaks one field at a time.
func TestValidateNamesTheField(t *testing.T) {
	nan := math.NaN()
	direct, err := Digits().As(DirectSet)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field string
		base  Config
		spoil func(*Config)
	}{
		{"method", Digits(), func(c *Config) { c.Method = "moco" }},
		{"net.kind", Digits(), func(c *Config) { c.Net.Kind = "vit" }},
		{"net.in", Digits(), func(c *Config) { c.Net.In = 0 }},
		{"net.in", CIFAR(), func(c *Config) { c.Net.In = 3072 }},
		{"net.rows", CIFAR(), func(c *Config) { c.Net.Rows = 0 }},
		{"net.base", CIFAR(), func(c *Config) { c.Net.Base = -1 }},
		{"net.rows", Digits(), func(c *Config) { c.Net.Rows = 10 }},
		{"net.hidden", Digits(), func(c *Config) { c.Net.Hidden = nil }},
		{"net.hidden[1]", Digits(), func(c *Config) { c.Net.Hidden = []int{4, 0} }},
		{"net.hidden", CIFAR(), func(c *Config) { c.Net.Hidden = []int{4} }},
		{"net.projector[0]", Digits(), func(c *Config) { c.Net.Projector = []int{1 << 20} }},
		{"net.hidden", LinearGaussian(), func(c *Config) { c.Net.Projector = []int{3} }},
		{"net.batchnorm", LinearGaussian(), func(c *Config) { c.Net.Bias = true }},
		{"net.out", Digits(), func(c *Config) { c.Net.Out = 0 }},
		{"predictor.kind", Digits(), func(c *Config) { c.Predictor.Kind = "mlp3" }},
		{"predictor.kind", Digits(), func(c *Config) { c.Predictor.Kind = NoneP }},
		{"predictor.kind", Digits(), func(c *Config) { c.Method = NoPredictor }},
		{"predictor.kind", direct, func(c *Config) { c.Predictor.Kind = LinearP }},
		{"predictor.hidden", Digits(), func(c *Config) { c.Predictor.Kind = MLP2P }},
		{"predictor.hidden", Digits(), func(c *Config) { c.Predictor.Hidden = 4 }},
		{"predictor.rate_ratio", Digits(), func(c *Config) { c.Predictor.RateRatio = 0 }},
		{"predictor.symmetrize", direct, func(c *Config) { c.Predictor.Symmetrize = true }},
		{"direct", Digits(), func(c *Config) { c.Direct = &Direct{} }},
		{"direct", direct, func(c *Config) { c.Direct = nil }},
		{"direct.formula", direct, func(c *Config) { c.Direct.Formula = "" }},
		{"direct.moment", direct, func(c *Config) { c.Direct.Moment = "" }},
		{"direct.when", direct, func(c *Config) { c.Direct.When = "" }},
		{"direct.rho", direct, func(c *Config) { c.Direct.Rho = 1 }},
		{"direct.epsilon", direct, func(c *Config) { c.Direct.Epsilon = nan }},
		{"direct.gamma", direct, func(c *Config) { c.Direct.Gamma = 0 }},
		{"direct.gamma", direct, func(c *Config) { c.Method = DirectPred }},
		{"direct.freq", direct, func(c *Config) { c.Direct.Freq = 0 }},
		{"loss.kind", Digits(), func(c *Config) { c.Loss.Kind = "infonce" }},
		{"target.kind", Digits(), func(c *Config) { c.Target.Kind = "" }},
		{"target.kind", Digits(), func(c *Config) { c.Target = Target{Kind: Shared} }},
		{"target.kind", Digits(), func(c *Config) { c.Method = SimSiam }},
		{"target.momentum", Digits(), func(c *Config) { c.Target.Momentum = 1.5 }},
		{"target.momentum", LinearGaussian(), func(c *Config) { c.Target.Momentum = 0.9 }},
		{"target.init", Digits(), func(c *Config) { c.Target.Init = "" }},
		{"target.init", LinearGaussian(), func(c *Config) { c.Target.Init = Copy }},
		{"optimizer.lr", Digits(), func(c *Config) { c.Optimizer.LearningRate = nan }},
		{"optimizer.lr", Digits(), func(c *Config) { c.Optimizer.LearningRate = 0 }},
		{"optimizer.momentum", Digits(), func(c *Config) { c.Optimizer.Momentum = 1 }},
		{"optimizer.wd", Digits(), func(c *Config) { c.Optimizer.WeightDecay = -1 }},
		{"optimizer.predictor_decay", Digits(), func(c *Config) { c.Optimizer.Decay = "adamw" }},
		{"batch", Digits(), func(c *Config) { c.Batch = 0 }},
		{"batch", Digits(), func(c *Config) { c.Batch = 1 }},
		{"steps", Digits(), func(c *Config) { c.Steps = 0 }},
		{"precision", Digits(), func(c *Config) { c.Precision = "float16" }},
	} {
		bad := c.base
		if bad.Direct != nil {
			d := *bad.Direct
			bad.Direct = &d
		}
		c.spoil(&bad)
		var f *FieldError
		switch err := bad.Validate(); {
		case !errors.As(err, &f):
			t.Errorf("spoiled %s: %v, want a *FieldError", c.field, err)
		case !strings.HasPrefix(f.Field, c.field):
			t.Errorf("spoiled %s: the error names %s: %v", c.field, f.Field, err)
		case strings.Contains(err.Error(), "\n"):
			t.Errorf("spoiled %s: error of several lines: %v", c.field, err)
		}
	}
}

func TestDecodeConfigRoundTrip(t *testing.T) {
	for _, m := range Methods {
		c := variant(t, Digits(), m)
		got, err := DecodeConfig(strings.NewReader(string(c.Canonical())), "x.json")
		if err != nil || got.Hash() != c.Hash() {
			t.Errorf("%s: %v, %s", m, err, got.Canonical())
		}
	}
}

func TestDecodeConfigErrors(t *testing.T) {
	good, err := json.MarshalIndent(Digits(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "method: x.json: empty, want a configuration"},
		{"truncated", text[:len(text)/2], "method: x.json: line "},
		{"unknown field", strings.Replace(text, `"batch"`, `"bacth"`, 1), `unknown field "bacth"`},
		{"wrong type", strings.Replace(text, `"batch": 128`, `"batch": "128"`, 1), "field batch: a JSON string, want int"},
		{"nested wrong type", strings.Replace(text, `"lr": 0.05`, `"lr": [1]`, 1), "field optimizer.lr: a JSON array, want float64"},
		{"bad value", strings.Replace(text, `"lr": 0.05`, `"lr": -1`, 1), "method: configuration field optimizer.lr: -1, want above 0"},
		{"trailing text", text + "{}", "text after the configuration"},
		{"not JSON", "method: byol", "method: x.json: line 1: "},
	} {
		got, err := DecodeConfig(strings.NewReader(c.text), "x.json")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "method: x.json: ") || got.Method != "" {
			t.Errorf("%s: %q, %+v; want an error with %q and no configuration", c.name, err, got, c.want)
		}
	}
	// The line is the right one: spoil line 4 of the indented text.
	lines := strings.Split(text, "\n")
	lines[3] = `    "kind": oops,`
	if _, err := DecodeConfig(strings.NewReader(strings.Join(lines, "\n")), "x.json"); err == nil || !strings.HasPrefix(err.Error(), "method: x.json: line 4: ") {
		t.Errorf("syntax error on line 4: %v", err)
	}
}

// TestHashSeesEveryField changes each leaf of the canonical JSON.
func TestHashSeesEveryField(t *testing.T) {
	base := variant(t, Digits(), DirectSet)
	var tree map[string]any
	if err := json.Unmarshal(base.Canonical(), &tree); err != nil {
		t.Fatal(err)
	}
	leaves := 0
	var walk func(path string, m map[string]any)
	walk = func(path string, m map[string]any) {
		for k, v := range m {
			switch x := v.(type) {
			case map[string]any:
				walk(path+k+".", x)
				continue
			case string:
				m[k] = x + "x"
			case float64:
				m[k] = x + 1
			case bool:
				m[k] = !x
			case []any:
				m[k] = append([]any{7.0}, x...)
			}
			leaves++
			text, err := json.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			var c Config
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			if c.Hash() == base.Hash() {
				t.Errorf("the hash ignores %s%s", path, k)
			}
			if d := difference(base, c); !strings.HasPrefix(d, "field "+path+k+" is ") {
				t.Errorf("changed %s%s, the difference is reported as %q", path, k, d)
			}
			m[k] = v
		}
	}
	walk("", tree)
	if leaves < 25 {
		t.Errorf("only %d fields seen", leaves)
	}
}
