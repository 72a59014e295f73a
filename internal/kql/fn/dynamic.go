package fn

import "github.com/wadi-project/wadi/internal/schema"

// Sets for functions of dynamics.
const (
	dynamic = Class(1 << schema.Dynamic)
	anyType = ^Class(0)
)

// Dynamic are the functions of dynamics bound by code.
var Dynamic = []string{
	"array_sort_asc", "array_sort_desc", "bag_pack", "bag_pack_columns", "extract_json", "extractjson", "gettype", "pack", "pack_all", "pack_dictionary", "parse_json", "parsejson",
	"range", "repeat", "todynamic", "toobject",
}

// dynamics are the functions of dynamics of fixed form, a part of Functions.
var dynamics = map[string]Function{
	"array_length":         goFunc("array_length", schema.Long, dynamic),
	"arraylength":          goFunc("array_length", schema.Long, dynamic),
	"array_concat":         goVariadic("array_concat", schema.Dynamic, 1, dynamic),
	"array_iff":            goFunc("array_iff", schema.Dynamic, dynamic, anyType, anyType),
	"array_iif":            goFunc("array_iff", schema.Dynamic, dynamic, anyType, anyType),
	"array_index_of":       goOptional("array_index_of", schema.Long, 2, dynamic, anyType, whole, whole, whole),
	"array_reverse":        goFunc("array_reverse", schema.Dynamic, dynamic),
	"array_rotate_left":    goFunc("array_rotate_left", schema.Dynamic, dynamic, whole),
	"array_rotate_right":   goFunc("array_rotate_right", schema.Dynamic, dynamic, whole),
	"array_shift_left":     goOptional("array_shift_left", schema.Dynamic, 2, dynamic, whole, anyType),
	"array_shift_right":    goOptional("array_shift_right", schema.Dynamic, 2, dynamic, whole, anyType),
	"array_slice":          goFunc("array_slice", schema.Dynamic, dynamic, whole, whole),
	"array_split":          goFunc("array_split", schema.Dynamic, dynamic, dynamic|whole),
	"array_sum":            goFunc("array_sum", schema.Real, dynamic),
	"bag_has_key":          goFunc("bag_has_key", schema.Bool, dynamic, text),
	"bag_keys":             goFunc("bag_keys", schema.Dynamic, dynamic),
	"bag_merge":            goVariadic("bag_merge", schema.Dynamic, 2, dynamic),
	"bag_remove_keys":      goFunc("bag_remove_keys", schema.Dynamic, dynamic, dynamic),
	"bag_set_key":          goFunc("bag_set_key", schema.Dynamic, dynamic, text, anyType),
	"bag_zip":              goFunc("bag_zip", schema.Dynamic, dynamic, dynamic),
	"dynamic_to_json":      goFunc("dyn_sorted_json", schema.String, dynamic),
	"jaccard_index":        goFunc("jaccard_index", schema.Real, dynamic, dynamic),
	"pack_array":           goVariadic("pack_array", schema.Dynamic, 0, anyType),
	"parse_xml":            goFunc("parse_xml", schema.Dynamic, text),
	"series_stats_dynamic": goOptional("series_stats_dynamic", schema.Dynamic, 1, dynamic, Of(schema.Bool)),
	"set_difference":       goVariadic("set_difference", schema.Dynamic, 2, dynamic),
	"set_has_element":      goFunc("set_has_element", schema.Bool, dynamic, anyType),
	"set_intersect":        goVariadic("set_intersect", schema.Dynamic, 2, dynamic),
	"set_union":            goVariadic("set_union", schema.Dynamic, 2, dynamic),
	"strcat_array":         goFunc("strcat_array", schema.String, dynamic, text),
	"treepath":             goFunc("treepath", schema.Dynamic, dynamic),
	"zip":                  goVariadic("zip", schema.Dynamic, 2, dynamic),
}

// goOptional is a goFunc of which only the first least arguments must be given.
func goOptional(name string, result schema.Type, least int, params ...Class) Function {
	f := goFunc(name, result, params...)
	f.Min = least
	return f
}

// goVariadic is a goFunc of any number of arguments of one class.
func goVariadic(name string, result schema.Type, least int, param Class) Function {
	f := goFunc(name, result, param)
	f.Min, f.Variadic = least, true
	return f
}
