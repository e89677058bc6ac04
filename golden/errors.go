package golden

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a refusal: which file, by which rule, at which field or byte.
type Error struct {
	File   string // name inside the verified file system; empty for data that has no file yet
	Rule   string // name of the rule, one of those listed by [Rules]
	Field  string // path of the JSON member or tensor, such as runs[2].final.er; may be empty
	Offset int64  // byte offset into File; negative when no single byte is to blame
	Err    error  // what is wrong
}

// Error returns "golden: FILE: rule RULE: FIELD: at byte OFFSET: what is wrong", leaving out what is unknown.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("golden: ")
	if e.File != "" {
		b.WriteString(e.File + ": ")
	}
	if e.Rule != "" {
		b.WriteString("rule " + e.Rule + ": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, "at byte %d: ", e.Offset)
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrReasonRequired says that a golden of this id exists and no reason was given to replace it.
var ErrReasonRequired = errors.New("a golden of this id exists: recording it again needs a reason")

// ErrDirty says that the source tree had changes that no commit holds.
var ErrDirty = errors.New("the source tree has uncommitted changes, so no commit could reproduce this golden")

// refuse builds an Error without file or rule, which the verifier fills in.
func refuse(field, format string, args ...any) *Error {
	return &Error{Field: field, Offset: -1, Err: fmt.Errorf(format, args...)}
}
