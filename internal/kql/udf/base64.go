package udf

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"unicode/utf8"
)

// base64s are the functions of base64 texts.
var base64s = []Func{
	textFunc("base64_encode_tostring", base64.StdEncoding.AppendEncode),
	textFunc("base64_decode_tostring", appendBase64Text),
	scratched("base64_encode_fromguid", tText, func() Eval {
		var scratch []byte
		return func(args []Value, out *Value) error {
			if raw, ok := guidBytes(args[0].S); ok {
				scratch = base64.StdEncoding.AppendEncode(scratch[:0], raw[:])
				out.S = scratch
			}
			return nil
		}
	}, tGuid),
	scratched("base64_decode_toguid", tGuid, func() Eval {
		var scratch []byte
		return func(args []Value, out *Value) error {
			raw, err := base64.StdEncoding.AppendDecode(scratch[:0], args[0].S)
			scratch = raw
			if out.Null = err != nil || len(raw) != 16; !out.Null {
				out.S = guidText(raw)
			}
			return nil
		}
	}, tText),
	scratched("base64_decode_toarray", tBag, func() Eval {
		var scratch, text []byte
		return func(args []Value, out *Value) error {
			raw, err := base64.StdEncoding.AppendDecode(scratch[:0], args[0].S)
			scratch = raw
			if out.Null = err != nil; !out.Null {
				list := make([]int64, len(raw))
				for i, b := range raw {
					list[i] = int64(b)
				}
				text = appendInts(text[:0], list)
				out.S = text
			}
			return nil
		}
	}, tText),
	unpacked("gzip_decompress_from_base64_string", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }),
	unpacked("zlib_decompress_from_base64_string", func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }),
}

// appendBase64Text decodes a text; what is no base64 of UTF-8 gives "".
func appendBase64Text(dst, s []byte) []byte {
	out, err := base64.StdEncoding.AppendDecode(dst, s)
	if err != nil || !utf8.Valid(out[len(dst):]) {
		return dst
	}
	return out
}

// unpacked makes a function that unpacks the base64 of a packed text; what is
// none gives "".
func unpacked(name string, open func(io.Reader) (io.Reader, error)) Func {
	return scratched(name, tText, func() Eval {
		var scratch []byte
		return func(args []Value, out *Value) error {
			raw, err := base64.StdEncoding.AppendDecode(scratch[:0], args[0].S)
			scratch = raw
			if err != nil {
				return nil
			}
			r, err := open(bytes.NewReader(raw))
			if err != nil {
				return nil
			}
			text, err := io.ReadAll(io.LimitReader(r, maxText+1))
			switch {
			case len(text) > maxText: // a few bytes can unpack to gigabytes
				return errTooLong
			case err == nil && utf8.Valid(text):
				out.S = text
			}
			return nil
		}
	}, tText)
}

// guidOrder is the order of a guid's bytes in memory, as digits of its text: the
// first three groups are numbers with the low byte first.
var guidOrder = [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

func guidBytes(text []byte) (raw [16]byte, ok bool) {
	var plain [16]byte
	digits := bytes.ReplaceAll(text, []byte("-"), nil)
	if len(digits) != 32 {
		return raw, false
	}
	if _, err := hex.Decode(plain[:], digits); err != nil {
		return raw, false
	}
	for i, from := range guidOrder {
		raw[i] = plain[from]
	}
	return raw, true
}

func guidText(raw []byte) []byte {
	text := make([]byte, 0, 36)
	for i, from := range guidOrder {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, raw[from:from+1])
	}
	return text
}
