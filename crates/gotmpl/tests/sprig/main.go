// Renders the cases beside it with Sprig's functions, for the test to compare with. Re-make with: go run .
package main

import (
	"github.com/Masterminds/sprig/v3"
	"gotmpl.test/golden/cases"
)

func main() { cases.Remake(sprig.TxtFuncMap()) }
