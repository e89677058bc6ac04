// Package verdict says the words. A [Verdict] is computed from theorems of the kernel, certified sequents of package
// region and counterexamples of the model alone: its field is unexported, and each constructor takes such a value and compares it with the reading it is said
// of. Neither the prover nor the search is believed for anything.
//
//	proved         every goal of the reading is a theorem of its Γ
//	certified      every goal of the reading holds at every point of the region that its Γ states, by package region
//	refuted        a goal of the reading fails at an exact state, by the model, or along a motion from one, enclosed
//	vacuous        Γ ⊢ ⊥ is a theorem: the hypotheses contradict each other, those beside it if an assumption is stated
//	inconsistent   an assumption that no motion keeps: “always A” ⊢ ⊥ is a theorem
//	not kept       an assumption that some motion leaves, along which everything assumed beside it holds
//	contradiction  proved and refuted at once, an error of the suite; neither word is said
//	ill-formed     the statement has no meaning
//	supported      states were tried and none failed; anyone may say it
//	undecided      anything else
package verdict
