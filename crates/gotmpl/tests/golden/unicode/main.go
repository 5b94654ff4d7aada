// Writes src/unicode/tables.rs: which characters are letters, digits and printable, as Go has it.
// Re-make from tests/golden with: go run ./unicode
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strconv"
	"unicode"
)

func main() {
	var out bytes.Buffer
	fmt.Fprintf(&out, "//! Which characters are what, in Unicode %s. Written by tests/golden/unicode; not to be edited.\n", unicode.Version)
	table(&out, "Letters: first and last of each run.", "LETTERS", unicode.IsLetter)
	table(&out, "Decimal digits: first and last of each run.", "DIGITS", unicode.IsDigit)
	table(&out, "What can be printed: first and last of each run.", "PRINTABLE", strconv.IsPrint)
	if err := os.WriteFile("../../src/unicode/tables.rs", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

// table writes the runs of characters above ASCII that a predicate holds for.
func table(out *bytes.Buffer, doc, name string, is func(rune) bool) {
	fmt.Fprintf(out, "\n/// %s\n#[rustfmt::skip]\npub(super) const %s: &[(u32, u32)] = &[", doc, name)
	written := 0
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !is(r) {
			continue
		}
		first := r
		for r < unicode.MaxRune && is(r+1) {
			r++
		}
		if written%6 == 0 {
			out.WriteString("\n   ")
		}
		fmt.Fprintf(out, " (%#x, %#x),", first, r)
		written++
	}
	out.WriteString("\n];\n")
}
