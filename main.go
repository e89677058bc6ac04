// Command stopgrad audits the claims of "Understanding Self-Supervised Learning Dynamics without Contrastive
// Pairs".
package main

import (
	"os"

	"stopgrad/internal/command"
)

func main() { os.Exit(command.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
