package golden

import (
	"embed"
	"io/fs"
)

//go:embed data
var committed embed.FS

// Committed returns the goldens that are part of this project: the folder golden/data as it was at build time.
func Committed() fs.FS {
	sub, err := fs.Sub(committed, "data")
	if err != nil {
		panic("golden: " + err.Error()) // the folder is embedded above
	}
	return sub
}
