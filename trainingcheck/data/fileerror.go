package data

import "fmt"

// FileError says what is wrong with a data file, and where.
type FileError struct {
	File   string // path of the file; ARCHIVE!MEMBER for a member of an archive
	Offset int64  // byte offset in File at which the trouble begins
	Reason string
}

// Error implements error.
func (e *FileError) Error() string {
	return fmt.Sprintf("data: %s: byte %d: %s", e.File, e.Offset, e.Reason)
}

func fileErrorf(file string, offset int64, format string, args ...any) error {
	return &FileError{File: file, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}
