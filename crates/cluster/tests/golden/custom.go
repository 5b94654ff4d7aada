package main

import (
	"sort"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
)

// custom treats an object as one of a custom kind with this schema.
func custom(r *request) any {
	var v1 apiextensionsv1.JSONSchemaProps
	check(kjson.UnmarshalCaseSensitivePreserveInts(r.Schema, &v1))
	var props apiextensions.JSONSchemaProps
	check(apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&v1, &props, nil))
	structural, err := schema.NewStructural(&props)
	if err != nil {
		return object{"notStructural": []string{err.Error()}}
	}
	if faults := schema.ValidateStructural(nil, structural); len(faults) > 0 {
		return object{"notStructural": texts(faults)}
	}
	value := decoded(r.Object).(object)
	unknown := pruning.PruneWithOptions(value, structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(value, structural)
	defaulting.Default(value, structural)
	validator, _, err := validation.NewSchemaValidator(&props)
	check(err)
	faults := validation.ValidateCustomResource(nil, value, validator)
	faults = append(faults, listtype.ValidateListSetsAndMaps(nil, structural, value)...)
	return object{"unknown": unknown, "object": value, "invalid": texts(faults)}
}

func texts(faults field.ErrorList) []string {
	texts := []string{}
	for _, fault := range faults {
		texts = append(texts, fault.Error())
	}
	sort.Strings(texts)
	return texts
}
