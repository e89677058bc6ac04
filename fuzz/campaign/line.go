package campaign

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"
)

// castagnoli is the CRC-32C table: it detects every burst of up to 32 damaged bits.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed is the line of a log that holds a payload under a name: checksum, name, payload. A log is only ever appended to, a
// line by one write, so that what a killed process leaves behind is a last line without its end.
func sealed(name string, payload []byte) []byte {
	if bytes.IndexByte(payload, '\n') >= 0 {
		panic("campaign: a result with line breaks")
	}
	rest := append([]byte(name+" "), payload...)
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(rest, castagnoli), rest)
}

// opened reads a line without its end.
func opened(line []byte) (name string, payload []byte, ok bool) {
	sum, rest, found := bytes.Cut(line, []byte(" "))
	if !found || len(sum) != 8 {
		return "", nil, false
	}
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || uint32(want) != crc32.Checksum(rest, castagnoli) {
		return "", nil, false
	}
	before, payload, found := bytes.Cut(rest, []byte(" "))
	return string(before), payload, found
}

// read hands the lines of a log to keep, which says whether it takes one, and counts those that are damaged, unfinished or
// not taken.
func read(text []byte, keep func(name string, payload, line []byte) bool) (dropped int) {
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		text = rest
		if name, payload, ok := opened(line); !ended || !ok || !keep(name, payload, line) {
			dropped++
		}
	}
	return dropped
}
