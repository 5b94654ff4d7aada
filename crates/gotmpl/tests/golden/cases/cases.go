// Package cases renders the cases of a directory, for a test to compare with.
package cases

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log"
	"os"
	"text/template"
	"unicode/utf8"
)

// testCase is a line of the case file.
type testCase struct {
	// Templates are pairs of name and source; the first is rendered.
	Templates [][2]string `json:"templates"`
	// Data is by default what data.json holds.
	Data json.RawMessage `json:"data"`
	// Option is one of text/template's.
	Option string    `json:"option"`
	Delims [2]string `json:"delims"`
}

// result is a line of the golden file.
type result struct {
	Output string `json:"output"`
	// Base64 says that the output is no valid UTF-8 and stands there so encoded.
	Base64 bool   `json:"base64,omitempty"`
	Error  string `json:"error,omitempty"`
}

var defaultData json.RawMessage

// Remake renders cases.jsonl of the working directory, with functions, into cases.golden.
func Remake(functions template.FuncMap) {
	var err error
	defaultData, err = os.ReadFile("data.json")
	check(err)
	in, err := os.Open("cases.jsonl")
	check(err)
	defer in.Close()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var test testCase
		check(json.Unmarshal(lines.Bytes(), &test))
		check(encoder.Encode(render(test, functions)))
	}
	check(lines.Err())
	check(os.WriteFile("cases.golden", out.Bytes(), 0o644))
}

// render gives what the case renders to. After an error, what was written before it counts no more.
func render(test testCase, functions template.FuncMap) result {
	root := template.New("root").Funcs(functions).Delims(test.Delims[0], test.Delims[1])
	if test.Option != "" {
		root.Option(test.Option)
	}
	for _, source := range test.Templates {
		if _, err := root.New(source[0]).Parse(source[1]); err != nil {
			return result{Error: err.Error()}
		}
	}
	var out bytes.Buffer
	if test.Data == nil {
		test.Data = defaultData
	}
	var data any
	check(json.Unmarshal(test.Data, &data))
	if err := root.ExecuteTemplate(&out, test.Templates[0][0], data); err != nil {
		return result{Error: err.Error()}
	}
	if !utf8.Valid(out.Bytes()) {
		return result{Output: base64.StdEncoding.EncodeToString(out.Bytes()), Base64: true}
	}
	return result{Output: out.String()}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
