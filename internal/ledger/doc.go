// Package ledger is the record of an audit: what was found of every claim, with the evidence, as a JSON file
// that other programs read.
//
// A ledger is one JSON object,
//
//	{"schema": "stopgrad-ledger/1", "seed": 1, "depth": "standard",
//	 "claims": [{"id", "where", "statement", "verdict",
//	             "corrected": {"statement", "verdict"},
//	             "evidence": [{"kind", "verdict", "seconds", "certificate", "detail": {…}}],
//	             "twins": [{"mutation", "verdict", "certificate", "detail": {…}}], "seconds"}],
//	 "summary": {…}}
//
// where "corrected" is absent for a claim without a corrected reading, and "certificate" for a word without one. The
// statements, and in each detail "given", which is Γ with the marks of its hypotheses, are printed from the kernel. The kinds of evidence are proof,
// certificate, samples, witness and training; the verdicts are the closed set of [Verdicts]. Everything but
// the members called "seconds" is a function of the claims, the program, the seed and the depth:
// [Ledger.Canonical] leaves the seconds out.
package ledger
