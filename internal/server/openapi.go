package server

import (
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// OpenAPI gives the OpenAPI 3.1 document of all routes.
func OpenAPI() []byte {
	d := &document{schemas: map[string]any{}, types: map[string]reflect.Type{}}
	paths := map[string]any{}
	for _, r := range Routes() {
		at, _ := paths[r.Path].(map[string]any)
		if at == nil {
			at = map[string]any{}
			paths[r.Path] = at
		}
		at[strings.ToLower(r.Method)] = d.operation(&r)
	}
	return indented(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Wadi", "version": "1",
			"description": "The API of wadi serve. Errors are problems of RFC 9457; their code tells programs what is wrong.",
		},
		"servers": []any{map[string]any{"url": "https://127.0.0.1:9443"}},
		"paths":   paths,
		"components": map[string]any{
			"schemas": d.schemas,
			"securitySchemes": map[string]any{
				"token": map[string]any{"type": "http", "scheme": "bearer", "description": "a token of wadi token create"},
				"mtls":  map[string]any{"type": "mutualTLS", "description": "a client certificate of an authority that tls.client_ca names"},
			},
		},
	})
}

// document gathers the schemas that operations use.
type document struct {
	schemas map[string]any
	types   map[string]reflect.Type // by the name of their schema
}

func (d *document) operation(r *Route) map[string]any {
	op := map[string]any{"operationId": r.Name, "summary": r.About, "responses": d.responses(r)}
	if r.Detail != "" {
		op["description"] = r.Detail
	}
	if r.Scope != ScopeNone {
		op["security"] = []any{map[string]any{"token": []string{string(r.Scope)}}, map[string]any{"mtls": []string{}}}
	}
	params := []any{}
	for _, p := range r.Params {
		schema := map[string]any{"type": "string"}
		if p.Pattern != "" {
			schema["pattern"] = "^(?:" + p.Pattern + ")$"
		}
		if len(p.Values) > 0 {
			schema["enum"] = p.Values
		}
		params = append(params, map[string]any{"name": p.Name, "in": p.In, "required": p.Required, "description": p.About, "schema": schema})
	}
	if len(params) > 0 {
		op["parameters"] = params
	}
	if len(r.Body) > 0 {
		op["requestBody"] = map[string]any{"required": true, "content": d.content(r.Body)}
	}
	return op
}

func (d *document) responses(r *Route) map[string]any {
	all := map[string]any{}
	for _, a := range r.Answers {
		one := map[string]any{"description": a.About}
		if len(a.Content) > 0 {
			one["content"] = d.content(a.Content)
		}
		all[strconv.Itoa(a.Status)] = one
	}
	all["default"] = map[string]any{"description": "A problem.", "content": d.content([]Content{{Type: "application/problem+json", Value: Problem{}}})}
	return all
}

func (d *document) content(list []Content) map[string]any {
	all := map[string]any{}
	for _, c := range list {
		media := map[string]any{}
		if c.Value != nil {
			media["schema"] = d.schema(reflect.TypeOf(c.Value))
		}
		all[c.Type] = media
	}
	return all
}

// schema describes a Go type as encoding/json writes it. Structs with a name become
// components.
func (d *document) schema(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice, reflect.Array:
		return map[string]any{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Interface:
		return map[string]any{}
	case reflect.Struct:
		return d.object(t)
	}
	return map[string]any{"type": "integer"}
}

func (d *document) object(t reflect.Type) map[string]any {
	name := strings.ToUpper(t.Name()[:min(1, len(t.Name()))]) + t.Name()[min(1, len(t.Name())):]
	if other := d.types[name]; other != nil && other != t { // of another package
		name = strings.ToUpper(path.Base(t.PkgPath())[:1]) + path.Base(t.PkgPath())[1:] + name
	}
	if _, known := d.schemas[name]; name == "" || !known {
		d.types[name] = t
		properties, required := map[string]any{}, []string{}
		object := map[string]any{"type": "object", "properties": properties}
		if name != "" {
			d.schemas[name] = object
		}
		for field := range t.Fields() {
			tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if tag == "" || tag == "-" {
				continue
			}
			properties[tag] = d.schema(field.Type)
			if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
				required = append(required, tag)
			}
		}
		if slices.Sort(required); len(required) > 0 {
			object["required"] = required
		}
		if name == "" {
			return object
		}
	}
	return map[string]any{"$ref": "#/components/schemas/" + name}
}
