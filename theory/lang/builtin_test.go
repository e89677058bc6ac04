package lang_test

import (
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

func init() { lang.BuiltIn = theory.Load }
