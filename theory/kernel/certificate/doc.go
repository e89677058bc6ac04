// Package certificate reads and writes the evidence of one reading of a claim as a text file: a proof as the rule
// applications that the kernel made, an exact counterexample, a motion along which the statement fails, or the message of
// an ill-formed statement. [Read] hands every step to the kernel again, integrates motions again and believes nothing; a
// file that says too much is refused with its line.
//
// # The format
//
// A file is ASCII text of at most 8 MiB, one item a line, words separated by single spaces, lines ended by \n. Terms,
// contexts and theorems are numbered from 0, each kind by itself, in the order of their lines, and are referred to
// backwards only. Numbers are decimal without sign or leading zero; rationals are -3/2 or 5, in lowest terms.
//
//	stopgrad certificate 1          first line
//	claim ID PART READING           what the file is filed under; says nothing about what it establishes
//	uses ID PART                    directly below: a part whose theorem the proof uses; for readers only, since the steps
//	                                that establish it stand here again
//	size n                          a size
//	symbol x param                  a number; classes param state input random centred hole
//	symbol W state n2 n1            a matrix; a dimension is 1, n, or n*m
//	t number -3/2                   terms: their heads are those of package kernel
//	t letter W
//	t size n
//	t identity n
//	t zero n2 n1
//	t power 3 7                     exponent, then the term
//	t product 4 5                   any other head, then its terms
//	moment 3 3 8                    E[a·bᵀ] = m: terms a b m
//	flow 2 9                        x' = rhs: terms x rhs
//	map 2 9                         x becomes rhs in one step
//	a 9 D                           term 9 is printed as D, which names nothing else; for readers only
//	h always ge 4 5                 a hypothesis of the next context: mark, form, terms
//	c motion                        a context: state, motion or orbit, with the h lines above it since the last c
//	p 0 modulo eq 4 5 : 1 2 : 7 6   a theorem of context 0: rule, goal, premises, terms of the rule
//	p 1 lift always eq 4 5 : 0 :    “always” stands before the form of what always holds
//	goal 3                          theorem 3 is a part of the statement; the first goal fixes the context
//	vacuous 3                       theorem 3 says that the hypotheses contradict each other
//	shed 2 9                        off the matrix of the next conclusion: term 9 times the matrix of hypothesis 2 of its context
//	split eta 1/8                   its argument, in preorder: a box cut in two; an entry of a matrix is W.1.2
//	leaf interval                   the condition holds on the box, by this rule of package region
//	leaf outside 3 slope            hypothesis condition 3 fails on the box, by this rule
//	leaf theorem 7                  theorem 7 states the formula under hypotheses that hold on the box
//	certified 0 gt 4 5              the statement of context 0 that the argument above establishes at every point of its region
//	way 400 8 200 24 6              how motions from a box are followed: to time 400 at most, by series of order 8, in 200 steps at
//	                                most, which aim at a remainder of 2^-24 and widen a set by 2^-6 of its width
//	basin                           the trap of the lines above (trap, below) is one that boxes may flow into
//	cut p 1/40                      the argument of the next outcome, in preorder: a box of values at the start cut in two
//	flows 0 1                       all motions from the box, followed as way 0 says, get into basin 1; the statement holds before and there
//	fails 3                         hypothesis 3 of the context fails at the start, everywhere on the box
//	ends 0 3                        at the end of way 0 hypothesis 3, assumed all along, fails for all; the statement holds before
//	outcome 0 vanishes 4            the statement of context 0 that the argument above establishes along every motion; ways and
//	                                basins are numbered from 0 again for the next
//	dim n 2                         a state: sizes, then
//	root 2                          a radicand r: the next square root √r that values are made of, r a number over those before
//	value W 2 1 : 1 -3/2            exact values, rows and columns, entries row by row; an entry 1/2,0,3 is
//	                                the sum of its coefficients m = 0, 1, … times the roots at the bits of m: 1/2 + 3·√r₁
//	refutes 0 eq 4 5 : 1            the statement of context 0 that fails there; theorems of always φ that it rests on
//	course 5/2 20 41                the motion from the state is followed to time 5/2, by series of order 20 in 41 steps at
//	                                most; package trajectory encloses it again
//	trap -1/10 3/10 : 1 0           a coordinate of the trap in which it ends: its bounds, and its coefficients in the
//	                                entries that move; there is one for each of these
//	follows 0 vanishes 4 : 1        the statement of context 0 that fails along this motion, with theorems as above
//	illformed MESSAGE               the statement has no meaning, for this reason; the reason is not derived again
//	sha256 HEX                      last line: of every byte before it
//
// Definedness is part of every theorem about states (package kernel): the theorems that establish it are ordinary p
// lines before it.
//
// # The limits
//
// A file passes only through the constructors of package kernel, whose limits bound the time and memory of each line. All
// lines together are bounded by [MaxWork], a thousand times what the longest proof of the built-in claims takes.
// Arguments over regions have a meter of their own, one for all of a file (region.Meter), a counterexample and a course
// theirs: a file has one of those.
package certificate
