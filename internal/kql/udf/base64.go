package udf

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"
)

// base64s are the functions of base64 texts.
var base64s = []Func{
	textFunc("base64_encode_tostring", base64.StdEncoding.AppendEncode),
	textFunc("base64_decode_tostring", appendBase64Text),
}

// appendBase64Text decodes a text; what is no base64 of UTF-8 gives "".
func appendBase64Text(dst, s []byte) []byte {
	out, err := base64.StdEncoding.AppendDecode(dst, s)
	if err != nil || !utf8.Valid(out[len(dst):]) {
		return dst
	}
	return out
}

// valid makes a text UTF-8, as all texts in the engine must be.
func valid(s []byte) []byte {
	if utf8.Valid(s) {
		return s
	}
	return bytes.ToValidUTF8(s, []byte("\uFFFD"))
}
