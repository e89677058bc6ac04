package golden

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestConfigHashFollowsContentAndNotOrder(t *testing.T) {
	hash := func(v any) string {
		t.Helper()
		sum, err := mustConfig(t, v).SHA256()
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	a := hash(map[string]any{"x": 1, "y": map[string]any{"b": 0.5, "a": []int{1, 2}}})
	if b := hash(json.RawMessage(`{"y":{"a":[1.0,2],"b":5e-1},"x":1}`)); a != b {
		t.Error("the same content has two hashes")
	}
	for _, other := range []string{`{"y":{"a":[2,1],"b":0.5},"x":1}`, `{"y":{"a":[1,2],"b":0.5},"x":"1"}`, `{"y":{"a":[1,2],"b":0.5},"x":1,"z":null}`} {
		if hash(json.RawMessage(other)) == a {
			t.Errorf("%s has the hash of another config", other)
		}
	}
}

// lr·wd·steps/(1−μ) and (1−m)·steps of the reference recipe for CIFAR-10: 39 000 steps give ηt = 4.68 and 156.
func TestConfigIsCompletedWithTotalDecayAndAveraging(t *testing.T) {
	c := mustConfig(t, json.RawMessage(`{"steps":39000,"optimizer":{"lr":0.03,"wd":4e-4,"momentum":0.9},"target":{"kind":"ema","momentum":0.996}}`))
	for path, want := range map[string]float64{KeyEtaT: 4.68, KeyEMASteps: 156} {
		if got, err := c.Number(path); err != nil || math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%s = %g (%v), want %g", path, got, err, want)
		}
	}
	again := mustConfig(t, c)
	if a, b := must(c.SHA256()), must(again.SHA256()); a != b {
		t.Error("completing twice changes the hash")
	}
	if c := mustConfig(t, json.RawMessage(`{"steps":1,"optimizer":{"lr":1,"wd":1,"momentum":0},"target":{"kind":"shared"}}`)); c.Has(KeyEMASteps) {
		t.Error("a shared target has no averaging steps")
	}
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

func TestConfigRefusesWhatItsHashCouldNotTellApart(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{[]int{1}, "expected object"},
		{func() {}, "unsupported type"},
		{map[string]any{"x": math.Inf(1)}, "unsupported value"},
		{map[string]any{"x": []any{uint64(1)<<53 + 1}}, "is no float64"},
		{json.RawMessage(`{"optimizer":{"lr":1,"wd":1,"momentum":1},"steps":1}`), "outside [0, 1)"},
		{json.RawMessage(`{"optimizer":{"lr":1,"wd":1},"steps":1}`), "config.optimizer.momentum: missing"},
		{json.RawMessage(`{"optimizer":{"lr":"1","wd":1,"momentum":0},"steps":1}`), "expected number, found string"},
		{json.RawMessage(`{"optimizer":{"lr":1,"wd":1,"momentum":0},"steps":1,"target":{"kind":"ema"}}`), "config.target.momentum: missing"},
		{json.RawMessage(`{"x":1,"x":2}`), "duplicate key"},
	} {
		if got, err := NewConfig(c.v); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v gave %v, %v; want %q", c.v, got, err, c.want)
		}
	}
}

func TestPredictorDecayFollowsTheNamedConvention(t *testing.T) {
	for _, c := range []struct {
		decay string
		want  float64
		err   string
	}{{DecayTheory, 0.02, ""}, {DecayTorch, 0.04, ""}, {"mine", 0, "unknown convention"}} {
		config := mustConfig(t, map[string]any{"predictor": map[string]any{"rate_ratio": 2},
			"optimizer": map[string]any{"lr": 1, "momentum": 0, "wd": 0.04, "predictor_decay": c.decay}, "steps": 1})
		got, err := config.predictorDecay()
		if got != c.want || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %g (%v), want %g", c.decay, got, err, c.want)
		}
	}
}

func TestPowerOfADirectMethod(t *testing.T) {
	for _, c := range []struct {
		json string
		want float64
	}{
		{`{"method":"directpred"}`, 0.5}, {`{"method":"directcopy"}`, 1}, {`{"method":"directset","direct":{"gamma":0.7}}`, 0.7},
	} {
		config := mustConfig(t, json.RawMessage(c.json))
		if got, err := config.power(); err != nil || got != c.want || !config.Direct() {
			t.Errorf("%s: power %g (%v), want %g", c.json, got, err, c.want)
		}
	}
	for _, text := range []string{`{}`, `{"method":1}`, `{"method":"directset"}`, `{"method":"directset","direct":{"gamma":"x"}}`} {
		if got, err := mustConfig(t, json.RawMessage(text)).power(); err == nil {
			t.Errorf("%s has power %g", text, got)
		}
	}
}

func TestExtraIsKeptUnderTheSeal(t *testing.T) {
	files := fixtures(t)
	g := load(t, files, slideID)
	g.Extra = &Extra{JSON: json.RawMessage(`{"shooting":[0.1,0.2]}`)}
	reseal(t, files, g)
	h := load(t, files, slideID)
	if h.Extra == nil || string(h.Extra.JSON) != `{"shooting":[0.1,0.2]}` {
		t.Fatalf("extra is %+v", h.Extra)
	}
	h.Extra.JSON = json.RawMessage(`{"shooting":[0.1,0.3]}`)
	if sum, err := h.seal(); err != nil || sum == h.SHA256 {
		t.Errorf("the seal does not cover extra (%v)", err)
	}
	g.Extra = &Extra{JSON: json.RawMessage(`[1]`)}
	reseal(t, files, g)
	if _, err := Decode(files[slideID+".json"].Data); err == nil {
		t.Error("extra that is no object was accepted")
	}
}
