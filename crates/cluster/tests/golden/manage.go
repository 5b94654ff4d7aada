package main

import (
	"encoding/json"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// step is one write of an object; an apply or an update.
type step struct {
	Apply       bool
	Manager     string
	Force       bool
	Subresource string
	Object      json.RawMessage
}

// manage writes an object several times and says who owns what at the end of each step.
func manage(r *request) any {
	answers := []any{}
	var live runtime.Object
	for _, s := range r.Steps {
		kind, manager := fieldManager(r, s.Subresource)
		object_ := blank(kind, r)
		check(json.Unmarshal(s.Object, object_))
		creating := live == nil
		if creating {
			live = blank(kind, r)
		}
		var err error
		var next runtime.Object
		if s.Apply {
			applied := &unstructured.Unstructured{}
			check(json.Unmarshal(s.Object, &applied.Object))
			next, err = manager.Apply(live, applied, s.Manager, s.Force)
		} else {
			if !creating {
				accessor, _ := meta.Accessor(live)
				next, _ := meta.Accessor(object_)
				next.SetManagedFields(accessor.GetManagedFields())
			}
			next, err = manager.Update(live, object_, s.Manager)
		}
		if err != nil {
			answers = append(answers, failed(err))
			if creating {
				live = nil
			}
			continue
		}
		live = next
		accessor, _ := meta.Accessor(live)
		// What is stored has an identity, by which later writes are known to be no creation.
		accessor.SetUID("uid")
		text, err := json.Marshal(live)
		check(err)
		written := decoded(text).(object)
		metadata := written["metadata"].(object)
		entries, _ := metadata["managedFields"].([]any)
		for _, entry := range entries {
			delete(entry.(object), "time")
		}
		delete(metadata, "managedFields")
		delete(metadata, "uid")
		if entries == nil {
			entries = []any{}
		}
		answers = append(answers, object{"object": written, "managers": entries})
	}
	return answers
}

func blank(kind schema.GroupVersionKind, r *request) runtime.Object {
	if r.Schema != nil {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(kind)
		return u
	}
	return typed(r.Kind)
}

type nothing struct{ unstructuredCreater }

// Default drops nulls, as the server does where a schema does not allow them.
func (nothing) Default(o runtime.Object) {
	if u, ok := o.(*unstructured.Unstructured); ok {
		dropNulls(u.Object)
	}
}

func dropNulls(value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if inner == nil {
				delete(value, key)
			}
			dropNulls(inner)
		}
	case []any:
		for _, inner := range value {
			dropNulls(inner)
		}
	}
}

func (nothing) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (nothing) Convert(in, out, context any) error { return nil }

func (nothing) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

type unstructuredCreater struct{}

func (unstructuredCreater) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	return u, nil
}

func fieldManager(r *request, subresource string) (schema.GroupVersionKind, *managedfields.FieldManager) {
	if r.Schema == nil {
		kinds, _, err := scheme.Scheme.ObjectKinds(typed(r.Kind))
		check(err)
		kind := kinds[0]
		manager, err := managedfields.NewDefaultFieldManager(applyconfigurations.NewTypeConverter(scheme.Scheme),
			scheme.Scheme, nothing{}, scheme.Scheme, kind, kind.GroupVersion(), subresource, nil)
		check(err)
		return kind, manager
	}
	kind := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}
	var root spec.Schema
	check(json.Unmarshal(r.Schema, &root))
	root.AddExtension("x-kubernetes-group-version-kind", []any{
		map[any]any{"group": kind.Group, "version": kind.Version, "kind": kind.Kind},
	})
	text := `{"type":"object","properties":{"name":{"type":"string"},"namespace":{"type":"string"},
		"labels":{"type":"object","additionalProperties":{"type":"string"}},
		"annotations":{"type":"object","additionalProperties":{"type":"string"}},
		"managedFields":{"type":"array","items":{"type":"object"}},"uid":{"type":"string"}}}`
	var metadata, name spec.Schema
	check(json.NewDecoder(strings.NewReader(text)).Decode(&metadata))
	name.Type = spec.StringOrArray{"string"}
	root.SetProperty("metadata", metadata)
	root.SetProperty("apiVersion", name)
	root.SetProperty("kind", name)
	converter, err := managedfields.NewTypeConverter(map[string]*spec.Schema{"com.example.v1.Widget": &root}, false)
	check(err)
	manager, err := managedfields.NewDefaultCRDFieldManager(converter, nothing{}, nothing{}, nothing{}, kind,
		kind.GroupVersion(), subresource, nil)
	check(err)
	return kind, manager
}
