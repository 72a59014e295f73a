package udf

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
)

// hashes are the hash functions. Those of datetimes hash the ticks' eight bytes,
// which is what the functions named _time do.
var hashes = []Func{
	digest("hash_md5", func(b []byte) []byte { h := md5.Sum(b); return h[:] }),
	digest("hash_sha1", func(b []byte) []byte { h := sha1.Sum(b); return h[:] }),
	digest("hash_sha256", func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }),
	shorter(1, plain("hash", tLong, func(a []Value, out *Value) error { return hashOf(a[0].S, a[1:], out) }, tText, tLong)),
	shorter(1, plain("hash_time", tLong, func(a []Value, out *Value) error {
		return hashOf(binary.LittleEndian.AppendUint64(nil, uint64(a[0].I)), a[1:], out)
	}, tTime, tLong)),
}

// digest prints a hash in hex; that of "" is "", as Kusto's.
func digest(name string, sum func([]byte) []byte) Func {
	return textFunc(name, func(dst, s []byte) []byte {
		if len(s) == 0 {
			return dst
		}
		return hex.AppendEncode(dst, sum(s))
	})
}

func hashOf(b []byte, modulus []Value, out *Value) error {
	out.I = int64(xxhash64(b))
	if len(modulus) == 0 {
		return nil
	}
	n := modulus[0].I
	if out.I < 0 || n <= 0 {
		return errors.New("cannot tell what Kusto's hash() gives as the remainder of a negative hash: leave out the second argument")
	}
	out.I %= n
	return nil
}

// The primes of XXH64 (Yann Collet's specification, version 0.1.1).
const (
	prime1 uint64 = 0x9E3779B185EBCA87
	prime2 uint64 = 0xC2B2AE3D27D4EB4F
	prime3 uint64 = 0x165667B19E3779F9
	prime4 uint64 = 0x85EBCA77C2B2AE63
	prime5 uint64 = 0x27D4EB2F165667C5
)

// xxhash64 is XXH64 with seed 0.
func xxhash64(b []byte) uint64 {
	round := func(acc, lane uint64) uint64 { return bits.RotateLeft64(acc+lane*prime2, 31) * prime1 }
	h, n := prime5, uint64(len(b))
	if len(b) >= 32 {
		p1, p2 := prime1, prime2
		v := [4]uint64{p1 + p2, p2, 0, -p1}
		for ; len(b) >= 32; b = b[32:] {
			for i := range v {
				v[i] = round(v[i], binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		h = bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
		for i := range v {
			h = (h^round(0, v[i]))*prime1 + prime4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^round(0, binary.LittleEndian.Uint64(b)), 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*prime1, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}
