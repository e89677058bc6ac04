package theory

import (
	"embed"
	"io/fs"

	"stopgrad/theory/lang"
)

//go:embed claims/*.claim
var files embed.FS

// Sources returns the embedded claim files, in order of name.
func Sources() ([]lang.Source, error) {
	names, err := fs.Glob(files, "claims/*.claim")
	if err != nil {
		return nil, err
	}
	var out []lang.Source
	for _, n := range names {
		b, err := files.ReadFile(n)
		if err != nil {
			return nil, err
		}
		out = append(out, lang.Source{Name: "theory/" + n, Text: string(b)})
	}
	return out, nil
}

// Load parses the embedded claims.
func Load() (*lang.File, error) {
	srcs, err := Sources()
	if err != nil {
		return nil, err
	}
	return lang.Parse(srcs...)
}
