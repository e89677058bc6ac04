//go:build xla && cgo && linux && amd64

package engine

import (
	"fmt"
	"os"

	_ "github.com/gomlx/go-xla/compute/xla" // registers "xla"
	"github.com/gomlx/go-xla/pjrt"
)

const compiledXLA = true

// envChecks is the binding's switch over its own look at CUDA's folders.
const envChecks = "GOPJRT_CUDA_CHECKS"

// openClient loads a plugin, which the process then keeps, and opens and closes a client. With modest the client is told
// not to take the device's memory in advance; a plugin that does not know the option is asked again without it.
func openClient(path string, modest bool) (c client, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("engine: opening %s: %v", path, r)
		}
	}()
	if _, set := os.LookupEnv(envChecks); !set { // the binding's advice on folders, many lines long; the client says what is missing
		if err := os.Setenv(envChecks, "0"); err != nil {
			return client{}, fmt.Errorf("engine: setting $%s: %w", envChecks, err)
		}
	}
	p, err := pjrt.GetPlugin(path)
	if err != nil {
		return client{}, err
	}
	major, minor := p.Version()
	c.api = fmt.Sprintf("%d.%d", major, minor)
	var x *pjrt.Client
	if modest {
		x, err = p.NewClient(pjrt.NamedValuesMap{"preallocate": false})
	}
	if x == nil {
		x, err = p.NewClient(nil)
	}
	if err != nil {
		return client{}, fmt.Errorf("PJRT C API %s: %w", c.api, err)
	}
	c.platform, c.devices = x.Platform(), x.NumDevices()
	if err := x.Destroy(); err != nil {
		return client{}, fmt.Errorf("PJRT C API %s: closing the client: %w", c.api, err)
	}
	return c, nil
}
