package training

import (
	"os"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/engine/native/kernel"
)

// Kernels is the flag that chooses the kernels of the engine cpu.
type Kernels struct {
	Family string `name:"kernels" placeholder:"FAMILY" help:"Kernels of the engine cpu: auto, generic (the same bits on every machine), avx2 or avx512. Default: $$TRAIN_KERNELS, or auto."`
}

// choose makes every engine cpu that this process opens from now on use the family asked for.
func (k Kernels) choose(backend string) error {
	if k.Family == "" {
		return nil
	}
	if backend == "" {
		backend = os.Getenv(engine.EnvBackend)
	}
	if backend != "" && backend != engine.CPU {
		return badInputf("--kernels=%s is for the engine cpu, not %s", k.Family, backend)
	}
	if _, err := kernel.ParseFamily(k.Family); err != nil {
		return badInputf("--%v", err)
	}
	if err := os.Setenv(engine.EnvKernels, k.Family); err != nil {
		return badInput(err)
	}
	return nil
}
