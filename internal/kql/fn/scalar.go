package fn

import "github.com/wadi-project/wadi/internal/schema"

// Scalar are functions of strings, numbers and times bound by code.
var Scalar = []string{
	"around", "assert", "binary_and", "binary_not", "binary_or", "binary_xor", "countof", "datetime_add", "datetime_diff", "datetime_local_to_utc", "datetime_part",
	"datetime_utc_to_local", "endofday", "endofmonth", "endofweek", "endofyear", "estimate_data_size", "extract", "extract_all", "format_datetime", "format_ipv4", "format_ipv4_mask",
	"format_timespan", "has_any_index", "hash", "hash_xxhash64", "indexof", "ingestion_time", "isutf8", "make_datetime", "make_string", "make_timespan", "new_guid", "pi", "rand", "replace",
	"replace_regex", "split", "startofday", "startofmonth", "startofweek", "startofyear", "strrep", "todecimal", "tohex", "trim", "trim_end", "trim_start", "unicode_codepoints_to_string",
	"unixtime_microseconds_todatetime", "unixtime_milliseconds_todatetime", "unixtime_nanoseconds_todatetime", "unixtime_seconds_todatetime",
}

// scalars are functions of strings, numbers and times of fixed form.
var scalars = map[string]Function{
	"url_encode":                         goFunc("url_encode", schema.String, text),
	"url_encode_component":               goFunc("url_encode_component", schema.String, text),
	"parse_url":                          goFunc("parse_url", schema.Dynamic, text),
	"parseurl":                           goFunc("parse_url", schema.Dynamic, text),
	"parse_urlquery":                     goFunc("parse_urlquery", schema.Dynamic, text),
	"base64_encode_fromguid":             goFunc("base64_encode_fromguid", schema.String, Of(schema.Guid)),
	"base64_decode_toguid":               goFunc("base64_decode_toguid", schema.Guid, text),
	"base64_decode_toarray":              goFunc("base64_decode_toarray", schema.Dynamic, text),
	"gzip_decompress_from_base64_string": goFunc("gzip_decompress_from_base64_string", schema.String, text),
	"zlib_decompress_from_base64_string": goFunc("zlib_decompress_from_base64_string", schema.String, text),

	"parse_ipv4":           goFunc("parse_ipv4", schema.Long, text),
	"parse_ipv4_mask":      goFunc("parse_ipv4_mask", schema.Long, text, whole),
	"parse_ipv6":           goFunc("parse_ipv6", schema.String, text),
	"parse_ipv6_mask":      goFunc("parse_ipv6_mask", schema.String, text, whole),
	"ipv4_netmask_suffix":  goFunc("ipv4_netmask_suffix", schema.Long, text),
	"ipv4_compare":         goOptional("ipv4_compare", schema.Long, 2, text, text, whole),
	"ipv4_is_match":        goOptional("ipv4_is_match", schema.Bool, 2, text, text, whole),
	"ipv4_is_in_range":     goFunc("ipv4_is_in_range", schema.Bool, text, text),
	"ipv4_is_in_any_range": goMany("ipv4_is_in_any_range", schema.Bool),
	"ipv4_is_private":      goFunc("ipv4_is_private", schema.Bool, text),
	"ipv6_compare":         goOptional("ipv6_compare", schema.Long, 2, text, text, whole),
	"ipv6_is_match":        goOptional("ipv6_is_match", schema.Bool, 2, text, text, whole),
	"ipv6_is_in_range":     goFunc("ipv6_is_in_range", schema.Bool, text, text),
	"ipv6_is_in_any_range": goMany("ipv6_is_in_any_range", schema.Bool),
	"has_ipv4":             goFunc("has_ipv4", schema.Bool, text, text),
	"has_ipv4_prefix":      goFunc("has_ipv4_prefix", schema.Bool, text, text),
	"has_any_ipv4":         goMany("has_any_ipv4", schema.Bool),
	"has_any_ipv4_prefix":  goMany("has_any_ipv4_prefix", schema.Bool),

	"strcmp":                         goFunc("strcmp", schema.Long, text, text),
	"string_size":                    unary(StringSize, text, schema.Long),
	"isascii":                        goFunc("isascii", schema.Bool, text),
	"reverse":                        unary(Reverse, plain, schema.String),
	"regex_quote":                    goFunc("regex_quote", schema.String, text),
	"translate":                      goFunc("translate", schema.String, text, text, text),
	"replace_strings":                goFunc("replace_strings", schema.String, text, dynamic, dynamic),
	"indexof_regex":                  goOptional("indexof_regex", schema.Long, 2, text, text, whole, whole, whole),
	"unicode_codepoints_from_string": goFunc("unicode_codepoints_from_string", schema.Dynamic, text),
	"to_utf8":                        goFunc("unicode_codepoints_from_string", schema.Dynamic, text),
	"parse_csv":                      goFunc("parse_csv", schema.Dynamic, text),
	"parse_path":                     goFunc("parse_path", schema.Dynamic, text),
	"parse_command_line":             goFunc("parse_command_line", schema.Dynamic, text, text),
	"parse_version":                  goFunc("parse_version", schema.Decimal, text),
	"parse_user_agent":               goFunc("parse_user_agent", schema.Dynamic, text, text|dynamic),
	"punycode_from_string":           goFunc("punycode_from_string", schema.String, text),
	"punycode_to_string":             goFunc("punycode_to_string", schema.String, text),
	"punycode_domain_from_string":    goFunc("punycode_domain_from_string", schema.String, text),
	"punycode_domain_to_string":      goFunc("punycode_domain_to_string", schema.String, text),

	"hash_md5":    goFunc("hash_md5", schema.String, plain),
	"hash_sha1":   goFunc("hash_sha1", schema.String, plain),
	"hash_sha256": goFunc("hash_sha256", schema.String, plain),

	"week_of_year": unary(WeekOfYear, moment, schema.Int),
	"weekofyear":   unary(WeekOfYear, moment, schema.Int),

	"bitset_count_ones":  goFunc("bitset_count_ones", schema.Long, whole),
	"binary_shift_left":  goFunc("binary_shift_left", schema.Long, whole, whole),
	"binary_shift_right": goFunc("binary_shift_right", schema.Long, whole, whole),
	"exp2":               goFunc("exp2", schema.Real, number),
	"exp10":              goFunc("exp10", schema.Real, number),
	"gamma":              goFunc("gamma", schema.Real, number),
	"loggamma":           goFunc("loggamma", schema.Real, number),
	"erf":                goFunc("erf", schema.Real, number),
	"erfc":               goFunc("erfc", schema.Real, number),
	"degrees":            goFunc("degrees", schema.Real, number),
	"radians":            goFunc("radians", schema.Real, number),
	"cot":                goFunc("cot", schema.Real, number),
	"sin":                unary(Sin, number, schema.Real),
	"cos":                unary(Cos, number, schema.Real),
	"tan":                unary(Tan, number, schema.Real),
	"asin":               unary(Asin, number, schema.Real),
	"acos":               unary(Acos, number, schema.Real),
	"atan":               unary(Atan, number, schema.Real),
	"atan2":              goFunc("atan2", schema.Real, number, number),
	"beta_cdf":           goFunc("beta_cdf", schema.Real, number, number, number),
	"beta_pdf":           goFunc("beta_pdf", schema.Real, number, number, number),
	"beta_inv":           goFunc("beta_inv", schema.Real, number, number, number),
	"format_bytes":       goOptional("format_bytes", schema.String, 1, number, whole, text),
}

// goMany is a function of a text and of texts, or of a text and an array of them.
func goMany(name string, result schema.Type) Function {
	f := goFunc(name, result, text, text|dynamic)
	f.Variadic = true
	return f
}
