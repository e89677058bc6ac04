package training

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/method"
)

// presets are the named configurations, each BYOL or SimSiam with a linear predictor before [method.Config.As].
var presets = []struct {
	name string
	base func() method.Config
}{
	{"digits", method.Digits},
	{"digits-mini", method.DigitsMini},
	{"linear-gaussian", method.LinearGaussian},
	{"cifar-small", method.CIFARSmall},
	{"cifar", method.CIFAR},
}

// presetOf is the preset of a kind of data when none is asked for. Colour images get the small convolutional net:
// the paper's ResNet-18 (preset cifar) is for a GPU.
func presetOf(kind string) string {
	switch kind {
	case "digits":
		return "digits"
	case "gaussian":
		return "linear-gaussian"
	}
	return "cifar-small"
}

// netPresets are the presets whose encoder and projector --net takes.
var netPresets = map[string]string{
	string(method.Linear): "linear-gaussian", string(method.MLP): "digits", string(method.SmallConv): "cifar-small", string(method.ResNet18): "cifar",
}

func preset(name string) (method.Config, error) {
	var names []string
	for _, p := range presets {
		if p.name == name {
			return p.base(), nil
		}
		names = append(names, p.name)
	}
	return method.Config{}, badInputf("there is no preset %q; there are %s", name, strings.Join(names, ", "))
}

// Recipe are the flags for single numbers of a recipe; nil and 0 leave them as they are.
type Recipe struct {
	LR          *float64 `name:"lr" placeholder:"RATE" help:"Learning rate."`
	Batch       int      `default:"0" help:"Examples a step; 0 is the recipe's number."`
	WeightDecay *float64 `placeholder:"RATE" help:"Weight decay, as torch.optim.SGD has it."`
	Momentum    *float64 `placeholder:"NUMBER" help:"Momentum (heavy ball)."`
	EMA         *float64 `name:"ema" placeholder:"NUMBER" help:"m of the averaged target."`
	Warmup      int      `default:"0" help:"Steps over which the rate rises from 0."`
	Cosine      bool     `help:"The rate falls along a cosine to 0."`
	EMACosine   bool     `name:"ema-cosine" help:"m rises along a cosine to 1."`
	NoDecayBias bool     `name:"exclude-bias-and-norm" help:"No decay on biases and the affine part of BatchNorm."`
	LARS        *float64 `name:"lars" placeholder:"TRUST" help:"LARS with this coefficient, such as .001, in place of SGD."`
}

// apply changes a configuration.
func (r Recipe) apply(c *method.Config) {
	for _, x := range []struct{ from, to *float64 }{{r.LR, &c.Optimizer.LearningRate}, {r.WeightDecay, &c.Optimizer.WeightDecay}, {r.Momentum, &c.Optimizer.Momentum}, {r.EMA, &c.Target.Momentum}, {r.LARS, &c.Optimizer.Trust}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	if r.Batch != 0 {
		c.Batch = r.Batch
	}
	c.Optimizer.ExcludeBiasAndNorm = c.Optimizer.ExcludeBiasAndNorm || r.NoDecayBias
	if r.Warmup == 0 && !r.Cosine && !r.EMACosine {
		return
	}
	s := method.Schedule{}
	if c.Optimizer.Schedule != nil {
		s = *c.Optimizer.Schedule
	}
	if r.Warmup != 0 {
		s.Warmup = r.Warmup
	}
	s.Cosine, s.TargetCosine = s.Cosine || r.Cosine, s.TargetCosine || r.EMACosine
	c.Optimizer.Schedule = &s
}

// recipe is the configuration of a run on a data set: the preset fitted to the size of the views, then the method, the file
// and the flags.
func (t *Train) recipe(d *data.Dataset) (method.Config, error) {
	m := method.Method(t.Method)
	if !slices.Contains(method.Methods, m) {
		return method.Config{}, badInputf("there is no method %q; there are %s", t.Method, words(method.Methods))
	}
	name := t.Preset
	if name == "" {
		name = presetOf(d.Kind())
	}
	c, err := preset(name)
	if err != nil {
		return c, err
	}
	if t.Net != "" {
		from, ok := netPresets[t.Net]
		if !ok {
			return c, badInputf("there is no net %q; there are linear, mlp, smallconv, resnet18", t.Net)
		}
		other, err := preset(from)
		if err != nil {
			return c, err
		}
		c.Net = other.Net
	}
	fit(&c.Net, d)
	if c, err = c.As(m); err != nil {
		return c, badInput(err)
	}
	switch {
	case t.Target == string(method.Shared):
		c.Target = method.Target{Kind: method.Shared}
	case t.Target == string(method.EMA) && c.Target.Kind == method.Shared:
		c.Target = method.Target{Kind: method.EMA, Momentum: method.Digits().Target.Momentum, Init: method.Copy}
	case t.Target == "" && m == method.NoPredictor:
		c.Target = method.Target{Kind: method.Shared}
	}
	if t.Config != "" {
		if c, err = over(c, t.Config, m); err != nil {
			return c, err
		}
		if string(c.Method) != t.Method {
			return c, badInputf("%s: field method is %q, the command line says %s", t.Config, c.Method, t.Method)
		}
		want := c.Net
		fit(&want, d)
		if want.In != c.Net.In || want.Rows != c.Net.Rows || want.Columns != c.Net.Columns || want.Channels != c.Net.Channels {
			h, w, k := d.ViewSize()
			return c, badInputf("%s: field net reads %s, the views of %s are %d×%d×%d", t.Config, shape(c.Net), d.Spec, h, w, k)
		}
	}
	t.apply(&c)
	switch {
	case t.Steps != 0:
		c.Steps = t.Steps
	case t.Epochs != 0 && d.Gaussian != nil:
		return c, badInputf("--epochs is for images; %s is drawn anew in every step", d.Spec)
	case t.Epochs != 0:
		c.Steps = max(1, t.Epochs*d.Train.Len()/c.Batch)
	}
	if err := c.Validate(); err != nil {
		return c, badInput(err)
	}
	return c, nil
}

// kinds are the members of a recipe whose other members mean something under one kind alone: a file that names another kind
// replaces them whole.
var kinds = []string{"net", "predictor", "target", "loss"}

// over puts a file over a configuration: a whole recipe, a part of one, or run.json of a run, of which config counts. The
// recipe of a run by another method becomes one of this method by [method.Config.As]; a recipe that was written down and
// names another method is the caller's to refuse.
func over(c method.Config, file string, m method.Method) (method.Config, error) {
	text, err := readJSON(file)
	if err != nil {
		return c, err
	}
	var run struct {
		Config json.RawMessage `json:"config"`
	}
	if json.Unmarshal(text, &run) == nil && run.Config != nil {
		text = run.Config
		if was, err := method.DecodeConfig(bytes.NewReader(text), file); err == nil && was.Method != m { // an error is met again below
			if was, err = was.As(m); err != nil {
				return c, badInputf("%s: %v", file, err)
			}
			text = was.Canonical()
		}
	}
	var part method.Config // to have what does not belong there refused with its line
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	line := func(offset int64) int {
		return 1 + bytes.Count(text[:min(max(offset, 0), int64(len(text)))], []byte("\n"))
	}
	if err := strict.Decode(&part); err != nil {
		var syntax *json.SyntaxError
		var typed *json.UnmarshalTypeError
		switch {
		case errors.As(err, &typed) && typed.Field == "":
			return c, badInputf("%s: line %d: a JSON %s; a recipe is an object", file, line(typed.Offset), typed.Value)
		case errors.As(err, &typed):
			return c, badInputf("%s: line %d: field %s: a JSON %s, want %s", file, line(typed.Offset), typed.Field, typed.Value, typed.Type)
		case errors.As(err, &syntax):
			return c, badInputf("%s: line %d: %v", file, line(syntax.Offset), err)
		}
		return c, badInputf("%s: line %d: %s", file, line(strict.InputOffset()), strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := strict.Token(); !errors.Is(err, io.EOF) {
		return c, badInputf("%s: line %d: text after the configuration", file, line(strict.InputOffset()))
	}
	var base, change map[string]any
	if err := json.Unmarshal(c.Canonical(), &base); err != nil {
		return c, fmt.Errorf("training: %w", err)
	}
	if err := json.Unmarshal(text, &change); err != nil {
		return c, badInputf("%s: %v", file, err)
	}
	if change == nil {
		return c, badInputf("%s: null; a recipe is an object", file)
	}
	if name := empty(change); name != "" {
		return c, badInputf("%s: field %s: null, which is no value; leave it out to keep what it is", file, name)
	}
	for _, name := range kinds {
		a, _ := base[name].(map[string]any)
		b, ok := change[name].(map[string]any)
		if kind, named := b["kind"]; ok && named && kind != a["kind"] {
			base[name] = map[string]any{}
		}
	}
	merge(base, change)
	if err := spelt(base, file, ""); err != nil {
		return c, err
	}
	whole, err := json.Marshal(base)
	if err != nil {
		return c, fmt.Errorf("training: %w", err)
	}
	out, err := method.DecodeConfig(bytes.NewReader(whole), file)
	if err != nil {
		return c, badInput(err)
	}
	return out, nil
}

// empty is the path of a member that is null, which decoders pass over; it is empty if there is none.
func empty(tree map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		switch v := tree[name].(type) {
		case nil:
			return name
		case map[string]any:
			if path := empty(v); path != "" {
				return name + "." + path
			}
		}
	}
	return ""
}

// maxJSON bounds recipes and summaries; a pipe or a device may have no end.
const maxJSON = 16 << 20

// readJSON reads a file of bounded size in which no object names a member twice: decoders take the last, and STEPS for
// steps, without a word.
func readJSON(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, badInput(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxJSON+1))
	switch {
	case err != nil:
		return nil, badInput(err)
	case len(text) > maxJSON:
		return nil, badInputf("%s: more than the %d bytes that are read", file, maxJSON)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	var open []map[string]bool // the members so far of the objects around, nil for an array
	key := false               // a name comes next, unless the object ends
	for {
		token, err := d.Token()
		if err != nil {
			return text, nil // the end, or a mistake that whoever decodes it names
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				open, key = append(open, map[string]bool{}), true
				continue
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
		case string:
			if key {
				seen := open[len(open)-1]
				if name := strings.ToLower(t); seen[name] {
					return nil, badInputf("%s: line %d: field %s is there twice", file, 1+bytes.Count(text[:d.InputOffset()], []byte("\n")), t)
				}
				seen[strings.ToLower(t)] = true
				key = false
				continue
			}
		}
		key = len(open) > 0 && open[len(open)-1] != nil
	}
}

// spelt refuses a member that is another one but for its letters' case.
func spelt(tree map[string]any, file, path string) error {
	names := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(tree)) { // capitals first
		if other, ok := names[strings.ToLower(name)]; ok {
			return badInputf("%s: field %s%s: this program spells it %s", file, path, other, name)
		}
		names[strings.ToLower(name)] = name
		if sub, ok := tree[name].(map[string]any); ok {
			if err := spelt(sub, file, path+name+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

// merge puts the members of change over those of base; null removes one.
func merge(base, change map[string]any) {
	for k, v := range change {
		a, am := base[k].(map[string]any)
		b, bm := v.(map[string]any)
		switch {
		case am && bm:
			merge(a, b)
		case v == nil:
			delete(base, k)
		default:
			base[k] = v
		}
	}
}

// fit sets the shape of the input.
func fit(n *method.Net, d *data.Dataset) {
	h, w, c := d.ViewSize()
	if n.Kind == method.Linear || n.Kind == method.MLP {
		n.In, n.Rows, n.Columns, n.Channels = h*w*c, 0, 0, 0
	} else {
		n.In, n.Rows, n.Columns, n.Channels = 0, h, w, c
	}
}

func shape(n method.Net) string {
	if n.In > 0 {
		return fmt.Sprintf("%d columns", n.In)
	}
	return fmt.Sprintf("%d×%d×%d", n.Rows, n.Columns, n.Channels)
}

// words joins the names of a closed list.
func words[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return strings.Join(out, ", ")
}
