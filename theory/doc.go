// Package theory is the paper as text: every claim of “Understanding Self-Supervised Learning Dynamics
// without Contrastive Pairs” (Tian, Chen and Ganguli, ICML 2021) in the claim language, with its proof
// script and its mutated twins, and the judgement of each by the checker.
//
// The claims are the files in claims/; GRAMMAR.md describes their language. Subpackages: lang reads them,
// algebra and symbolic give them meaning in exact algebra, eval at concrete states, sample looks for
// counterexamples, and checker alone makes verdicts.
package theory
