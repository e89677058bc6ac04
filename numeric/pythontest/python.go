// Package pythontest finds interpreters for tests and benchmarks that compare with a library of Python.
package pythontest

import (
	"context"
	"os/exec"
	"time"
)

// patience is how long an interpreter may take to import a module.
const patience = 20 * time.Second

// With returns an interpreter that can import a module, that of the path or Debian's, or "".
func With(module string) string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := exec.CommandContext(ctx, python, "-c", "import "+module).Run()
		cancel()
		if err == nil {
			return python
		}
	}
	return ""
}
