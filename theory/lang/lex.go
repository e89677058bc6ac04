package lang

import (
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokKind int

const (
	tEOF tokKind = iota
	tIdent
	tNumber
	tString
	tOp
)

type token struct {
	kind tokKind
	text string
	pos  Pos
}

func (t token) describe() string {
	if t.kind == tEOF {
		return "the end of the line"
	}
	return "‘" + t.text + "’"
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// operators, longest first.
var operators = []string{"==", ">=", "<=", "!=", "->", "+", "-", "*", "/", "^", "(", ")", "[", "]", "{", "}", ",", "=", ">", "<", "|", ":", "'"}

// maxDigits bounds the characters of a number: the kernel's longest one (kernel.MaxBits) has some 19,700 digits.
const maxDigits = 20_000

// lexItem splits the text of one item, which may span several lines, into tokens.
func lexItem(n *node) ([]token, error) {
	var toks []token
	for _, ln := range n.lines {
		rest := ln.text
		col := ln.pos.Col
		for len(rest) > 0 {
			r, size := utf8.DecodeRuneInString(rest)
			pos := Pos{File: ln.pos.File, Line: ln.pos.Line, Col: col}
			switch {
			case r == ' ' || r == '\t':
				rest, col = rest[size:], col+1
				continue
			case isLetter(r):
				n := 1
				for n < len(rest) && (isLetter(rune(rest[n])) || isDigit(rune(rest[n])) || rest[n] == '_') {
					n++
				}
				// Names that look alike must be alike: a Cyrillic а beside a Latin a would be read as one symbol.
				if c, _ := utf8.DecodeRuneInString(rest[n:]); c >= utf8.RuneSelf && unicode.IsLetter(c) {
					return nil, errAt(Pos{pos.File, pos.Line, col + n}, "the letter ‘%c’ cannot stand in a name; expected ASCII letters, digits and _", c)
				}
				toks = append(toks, token{tIdent, rest[:n], pos})
				rest, col = rest[n:], col+n
				continue
			case unicode.IsLetter(r):
				return nil, errAt(pos, "the letter ‘%c’ cannot stand in a name; expected ASCII letters, digits and _", r)
			case isDigit(r):
				n := 0
				for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
					n++
				}
				// A longer one is not looked at: reading it takes more than linear time.
				if n > maxDigits {
					return nil, errAt(pos, "a number of %d characters; expected at most %d", n, maxDigits)
				}
				if _, ok := new(big.Rat).SetString(rest[:n]); !ok {
					return nil, errAt(pos, "‘%s’ is not a number; expected digits like 3, 0.25 or 3/2", rest[:n])
				}
				toks = append(toks, token{tNumber, rest[:n], pos})
				rest, col = rest[n:], col+n
				continue
			case r == '"':
				end := strings.IndexByte(rest[1:], '"')
				if end < 0 {
					return nil, errAt(pos, "this quotation mark is never closed; expected \" before the end of the line")
				}
				toks = append(toks, token{tString, rest[1 : 1+end], pos})
				col += utf8.RuneCountInString(rest[:end+2])
				rest = rest[end+2:]
				continue
			}
			found := false
			for _, op := range operators {
				if strings.HasPrefix(rest, op) {
					toks = append(toks, token{tOp, op, pos})
					rest, col = rest[len(op):], col+len(op)
					found = true
					break
				}
			}
			if !found {
				return nil, errAt(pos, "the character ‘%c’ has no meaning here; expected a name, a number or one of + - * / ^ ( ) [ ] { } , = < > |", r)
			}
		}
	}
	return toks, nil
}
