package command

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAStoppedAuditKeepsWhatItHas: asked to end from the keyboard, or by the signal that comes before a machine or a
// container is taken away, an audit keeps and prints the claims that are finished, and says how to go on.
func TestAStoppedAuditKeepsWhatItHas(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		dir := t.TempDir()
		partial := filepath.Join(dir, "ledger.partial.json")
		var stdout, stderr bytes.Buffer
		c := &exec.Cmd{Path: self, Args: []string{"stopgrad", "audit", "--depth", "quick", "--workers", "1", "--out", dir},
			Env: os.Environ(), Stdout: &stdout, Stderr: &stderr}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
			if _, err := os.Stat(partial); err == nil {
				break
			}
			if time.Now().After(deadline) {
				c.Process.Kill()
				c.Wait()
				t.Fatalf("the audit records nothing: %s", &stderr)
			}
		}
		if err := c.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		if code, said := c.ProcessState.ExitCode(), stderr.String(); code != Interrupted || !strings.Contains(said, "the same command goes on from there") {
			t.Errorf("after %v: exit %d: %s", sig, code, said)
		}
		if !strings.Contains(stdout.String(), "INCOMPLETE") {
			t.Errorf("after %v nothing is said of what is missing: %s", sig, &stdout)
		}
		if _, err := os.Stat(partial); err != nil {
			t.Errorf("after %v: %v", sig, err)
		}
	}
}
