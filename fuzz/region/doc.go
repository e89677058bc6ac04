// Package region reads regions of hyper-parameters from YAML files.
//
// A file has up to four keys, all optional but one of the last three:
//
//	about: What the region is for.
//	sizes:                        # of matrices: a number, or a range
//	  n1: 2..4
//	  n2: 3
//	parameters:                   # scalars: a number, or a box
//	  eta:    {from: 0, to: 1/4, open: to}
//	  alpha:  {from: 0.1, to: 10, scale: log}
//	  sigma2: 1/2
//	initial:                      # matrices: how their free entries are drawn
//	  W:  {normal: 1/2}           # independent, mean 0, this standard deviation
//	  Wp: {uniform: [-1, 1]}
//
// Numbers are decimal (0.1, 1e-3) or fractions (1/4), and exact: 0.1 is 1/10. An end is part of the box unless
// open names it (from, to, or [from, to]). scale is linear or log. An unknown key, a value of another type,
// an inverted or empty box is one error that names the file and the line.
package region
