{{/* The labels of everything in the release. */}}
{{- define "gloo-app.labels" -}}
app: {{ .Release.Name | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
app.kubernetes.io/name: {{ .Release.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{/* The name of one version's resources, from a list of the root and the version. */}}
{{- define "gloo-app.versioned" -}}
{{- printf "%s-%s" (first .).Release.Name (last .) }}
{{- end }}

{{/*
A text of the values with its templates filled in, as a YAML string, from a list of the root and the text. A text that
stands in double quotes of its own loses them, as it would in YAML.
*/}}
{{- define "gloo-app.text" -}}
{{- $text := tpl (last . | toString) (first .) }}
{{- if and (gt (len $text) 1) (hasPrefix "\"" $text) (hasSuffix "\"" $text) }}
{{- $text = (printf "text: %s" $text | fromYaml).text | default $text }}
{{- end }}
{{- $text | toString | toJson }}
{{- end }}

{{/* Where one version's requests go, from a list of the root and the version. */}}
{{- define "gloo-app.destination" -}}
{{- $root := first . -}}
upstream:
  name: {{ $root.Release.Name | quote }}
  namespace: {{ $root.Release.Namespace | quote }}
subset:
  values:
    version: {{ last . | quote }}
{{- end }}

{{/* The paths, one at least, as a JSON list. */}}
{{- define "gloo-app.paths" -}}
{{- .Values.routes.paths | default (list (dict "prefix" (printf "/%s" .Release.Name))) | toJson }}
{{- end }}

{{/* The versions that get copies of requests and need an Upstream of their own, as a JSON list. */}}
{{- define "gloo-app.shadows" -}}
{{- $versions := list }}
{{- range include "gloo-app.paths" . | fromJsonArray }}
{{- with dig "options" "shadowing" "version" "" . }}
{{- $versions = append $versions . }}
{{- end }}
{{- end }}
{{- $versions | uniq | sortAlpha | toJson }}
{{- end }}

{{/* Stops where the values contradict each other in a way that values.schema.json cannot tell. */}}
{{- define "gloo-app.validate" -}}
{{- $versions := keys .Values.deployment | sortAlpha }}
{{- $deployed := printf "deployed are: %s" (join ", " $versions) }}
{{- $primary := .Values.routes.primary.version }}
{{- if not (has $primary $versions) }}
{{- fail (printf "routes.primary.version: %s is not deployed (%s). Add it below deployment, or name one of these." $primary $deployed) }}
{{- end }}
{{- with .Values.routes.canary }}
{{- if not (has .version $versions) }}
{{- fail (printf "routes.canary.version: %s is not deployed (%s). Add it below deployment, or name one of these." .version $deployed) }}
{{- end }}
{{- if eq .version $primary }}
{{- fail (printf "routes.canary.version: %s is the primary version already. Name the version that is on its way, or take out routes.canary." .version) }}
{{- end }}
{{- if not (or .headers (hasKey . "weight")) }}
{{- fail "routes.canary: without headers and weight nobody gets there. Say headers: {stage: canary} for the first phase, or weight: 0 to 100 for the second." }}
{{- end }}
{{- end }}
{{- range include "gloo-app.shadows" . | fromJsonArray }}
{{- if not (has . $versions) }}
{{- fail (printf "routes.paths: options.shadowing.version %s is not deployed (%s). Add it below deployment, or name one of these." . $deployed) }}
{{- end }}
{{- end }}
{{- end }}
