package training

import (
	"fmt"
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

// recipe is the configuration of a run on a data set: the preset or file, fitted to the size of the views, then
// the method and the flags.
func (t *Train) recipe(d *data.Dataset) (method.Config, error) {
	if t.Config != "" {
		return t.recipeFile(d)
	}
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
	if t.Steps != 0 {
		c.Steps = t.Steps
	}
	if err := c.Validate(); err != nil {
		return c, badInput(err)
	}
	return c, nil
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

// recipeFile reads a whole configuration; flags that would contradict it are refused.
func (t *Train) recipeFile(d *data.Dataset) (method.Config, error) {
	f, err := os.Open(t.Config)
	if err != nil {
		return method.Config{}, badInput(err)
	}
	defer f.Close()
	c, err := method.DecodeConfig(f, t.Config)
	switch {
	case err != nil:
		return c, badInput(err)
	case string(c.Method) != t.Method:
		return c, badInputf("%s: field method is %q, the command line says %s", t.Config, c.Method, t.Method)
	case t.Net != "" || t.Target != "" || t.Preset != "":
		return c, badInputf("--config names everything; --preset, --net and --target do not go with it")
	}
	want := c.Net
	fit(&want, d)
	if want.In != c.Net.In || want.Rows != c.Net.Rows || want.Columns != c.Net.Columns || want.Channels != c.Net.Channels {
		h, w, k := d.ViewSize()
		return c, badInputf("%s: field net reads %s, the views of %s are %d×%d×%d", t.Config, shape(c.Net), d.Spec, h, w, k)
	}
	if t.Steps != 0 {
		c.Steps = t.Steps
		if err := c.Validate(); err != nil {
			return c, badInput(err)
		}
	}
	return c, nil
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
