package engine

import (
	"slices"
	"testing"
)

// TestModulesOfAProgramWithoutBuildRecord: the record of a test names no module, so that this one shows what the linker's
// names are for.
func TestModulesOfAProgramWithoutBuildRecord(t *testing.T) {
	old := linked
	t.Cleanup(func() { linked = old })
	linked = ""
	if m := Modules(); m != nil {
		t.Skipf("this test's build record names modules: %v", m)
	}
	linked = "example.org/a@v1,example.org/b@v2"
	if m := Modules(); !slices.Equal(m, []string{"example.org/a@v1", "example.org/b@v2"}) {
		t.Errorf("modules %v", m)
	}
}
