// Package theory is the paper as text: every claim of “Understanding Self-Supervised Learning Dynamics
// without Contrastive Pairs” (Tian, Chen and Ganguli, ICML 2021) in the claim language, with its proof
// script and its mutated twins, and the judgement of each.
//
// The claims are the files in claims/; GRAMMAR.md describes their language. Of the subpackages, three are believed:
// kernel, which makes theorems, model, which makes counterexamples, and kernel/certificate, which reads both from
// text. The others are not: lang reads claims into the kernel's terms, prove finds proofs, sample draws states and eval
// evaluates them. Package verdict says the words, from theorems and counterexamples alone.
package theory
