// Package lang is the claim language: the text in which the paper's statements, their hypotheses, the
// dynamical systems they speak about and their proofs are written, and the parser that reads it.
//
// A file is a list of blocks; a block is a head line and the lines indented below it. A line that is
// indented deeper than an item continues it, unless it starts with a keyword of that item. `#` starts a
// comment. The full grammar with a worked example is in GRAMMAR.md of the theory folder.
//
// The package knows nothing of truth: it turns text into [File], [System], [Claim], [Part], [Stmt] and [Expr] values,
// and [Elaborate] turns a part into a [Reading]: the kernel's Γ and the formulas stated, each declaration a marked
// hypothesis. Nothing here is believed: what is shown of a reading ([Reading.Lines]) is printed by the kernel, and what
// it prints reads back as the same terms. Every value carries the position it was read from, and every error names file,
// line, column and what was expected.
package lang
