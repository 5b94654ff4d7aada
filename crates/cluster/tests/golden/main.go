// Answers the cases beside it with Kubernetes' own libraries, for the test to compare with. Re-make with: go run .
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sort"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kjson "sigs.k8s.io/json"
)

type object = map[string]any

type request struct {
	Op       string
	Kind     string
	Document json.RawMessage
	Patch    json.RawMessage
	Schema   json.RawMessage
	Object   json.RawMessage
	Steps    []step
}

func main() {
	in, err := os.Open("cases.jsonl")
	check(err)
	defer in.Close()
	text, err := os.ReadFile("schemas.json")
	check(err)
	// Schemas that several cases share, by the name that stands in their place.
	var schemas map[string]json.RawMessage
	check(json.Unmarshal(text, &schemas))
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r request
		check(json.Unmarshal(lines.Bytes(), &r))
		var name string
		if json.Unmarshal(r.Schema, &name) == nil && name != "" {
			r.Schema = schemas[name]
		}
		check(encoder.Encode(answer(&r)))
	}
	check(lines.Err())
	check(os.WriteFile("answers.jsonl", out.Bytes(), 0o644))
}

func answer(r *request) any {
	switch r.Op {
	case "json-patch":
		patch, err := jsonpatch.DecodePatch(r.Patch)
		if err != nil {
			return failed(err)
		}
		return result(patch.Apply(r.Document))
	case "merge-patch":
		return result(jsonpatch.MergePatch(r.Document, r.Patch))
	case "strategic":
		return result(strategicpatch.StrategicMergePatch(r.Document, r.Patch, typed(r.Kind)))
	case "decode":
		return decode(r)
	case "custom":
		return custom(r)
	case "manage":
		return manage(r)
	}
	log.Fatalf("unknown op %q", r.Op)
	return nil
}

func typed(kind string) runtime.Object {
	switch kind {
	case "Deployment":
		return &appsv1.Deployment{}
	case "Pod":
		return &corev1.Pod{}
	case "Service":
		return &corev1.Service{}
	case "ConfigMap":
		return &corev1.ConfigMap{}
	case "Secret":
		return &corev1.Secret{}
	case "ServiceAccount":
		return &corev1.ServiceAccount{}
	case "Node":
		return &corev1.Node{}
	}
	log.Fatalf("unknown kind %q", kind)
	return nil
}

func result(value []byte, err error) any {
	if err != nil {
		return failed(err)
	}
	return object{"ok": json.RawMessage(value)}
}

func failed(err error) any {
	return object{"error": err.Error()}
}

// decode reads an object as kube-apiserver reads a request's body.
func decode(r *request) any {
	strict, err := kjson.UnmarshalStrict(r.Object, typed(r.Kind))
	if err != nil {
		return failed(err)
	}
	unknown := []string{}
	for _, err := range strict {
		unknown = append(unknown, err.Error())
	}
	sort.Strings(unknown)
	return object{"unknown": unknown}
}

func decoded(raw []byte) any {
	var value any
	check(kjson.UnmarshalCaseSensitivePreserveInts(raw, &value))
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(fmt.Errorf("golden: %w", err))
	}
}
