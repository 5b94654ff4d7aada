// Renders the cases beside it with sigs.k8s.io/yaml, for the test to compare with. Re-make with: go run .
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"strings"

	goyaml "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

func main() {
	convert("write.cases", "write.golden", write)
	convert("read.cases", "read.golden", read)
}

// convert maps each line of one file, a JSON value, to a line of another.
func convert(from, to string, each func(string) any) {
	in, err := os.Open(from)
	check(err)
	defer in.Close()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		check(encoder.Encode(each(lines.Text())))
	}
	check(lines.Err())
	check(os.WriteFile(to, out.Bytes(), 0o644))
}

// write gives the YAML of a value, or null when there is none.
func write(line string) any {
	decoder := json.NewDecoder(bytes.NewBufferString(line))
	decoder.UseNumber()
	var value any
	check(decoder.Decode(&value))
	text, err := yaml.Marshal(numbers(value))
	if err != nil {
		return nil
	}
	return string(text)
}

// numbers makes integers of the numbers that are, as Kubernetes does with its objects.
func numbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			value[key] = numbers(value[key])
		}
	case []any:
		for i := range value {
			value[i] = numbers(value[i])
		}
	case json.Number:
		var unsigned uint64
		if integer, err := value.Int64(); err == nil {
			return integer
		} else if json.Unmarshal([]byte(value), &unsigned) == nil {
			return unsigned
		}
		float, err := value.Float64()
		check(err)
		return float
	}
	return value
}

// read gives the JSON of a text's first document, or the reason why there is none or why a later one cannot be read.
func read(line string) any {
	var text string
	check(json.Unmarshal([]byte(line), &text))
	value, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	documents := goyaml.NewDecoder(strings.NewReader(text))
	for {
		var document any
		if err := documents.Decode(&document); errors.Is(err, io.EOF) {
			return map[string]json.RawMessage{"json": value}
		} else if err != nil {
			return map[string]string{"error": err.Error()}
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
