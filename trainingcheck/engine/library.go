package engine

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
)

// entryPoint is the function by which a PJRT plugin is entered.
const entryPoint = "GetPjrtApi"

// checkLibrary looks at a plugin's file as the loader would, without loading it: it must be a shared library in ELF for
// this processor, as long as its segments say (the loader maps what is missing, and touching it ends the process by
// SIGBUS), and export entryPoint. The error is an *UnavailableError.
func checkLibrary(kind string, w plugin, path string) error {
	refuse := func(reason Reason, saw, remedy string) error {
		return &UnavailableError{Engine: kind, Reason: reason, Looked: []string{path + " (" + saw + ")"}, Remedy: remedy}
	}
	reinstall := "reinstall the plugin: " + w.install
	file, err := os.Open(path)
	if err != nil {
		return refuse(BadPlugin, err.Error(), "make the file readable")
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return refuse(BadPlugin, err.Error(), "make the file readable")
	}
	magic := make([]byte, len(elf.ELFMAG))
	switch _, err := io.ReadFull(file, magic); {
	case info.Size() == 0:
		return refuse(NotALibrary, "empty", reinstall)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return refuse(BadPlugin, err.Error(), "make the file readable")
	case string(magic) != elf.ELFMAG:
		return refuse(NotALibrary, "it does not begin as an ELF file does", "name the plugin's .so file in $"+w.env)
	}
	f, err := elf.NewFile(file)
	if err != nil { // the section headers are the end of the file
		return refuse(Truncated, fmt.Sprintf("%d bytes: %v", info.Size(), err), reinstall)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 || f.Type != elf.ET_DYN {
		return refuse(NotALibrary, fmt.Sprintf("%v %v %v", f.Class, f.Machine, f.Type), "get a shared library for linux/amd64")
	}
	for _, p := range f.Progs {
		if end := p.Off + p.Filesz; p.Type == elf.PT_LOAD && end > uint64(info.Size()) {
			return refuse(Truncated, fmt.Sprintf("%d bytes, its segments end at %d", info.Size(), end), reinstall)
		}
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return refuse(NoEntryPoint, fmt.Sprintf("its symbols cannot be read: %v", err), reinstall)
	}
	for _, s := range symbols {
		if s.Name == entryPoint && s.Section != elf.SHN_UNDEF {
			return nil
		}
	}
	return refuse(NoEntryPoint, "a library without "+entryPoint, "name a PJRT plugin in $"+w.env+"; "+w.install+" brings one")
}
