// Renders the cases beside it with text/template, for the test to compare with. Re-make with: go run .
package main

import "gotmpl.test/golden/cases"

func main() { cases.Remake(functions) }
