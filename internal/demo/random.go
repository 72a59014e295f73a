package demo

import "math/bits"

// random is splitmix64: fast, good enough for a demo, and the same on every
// machine and in every version of Go.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives a number in [0, n); n must be positive.
func (r *random) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// chance is true in n of 1000 cases.
func (r *random) chance(n int) bool { return r.below(1000) < n }

// mix folds numbers into a start value for a random.
func mix(numbers ...uint64) random {
	var r random
	for _, n := range numbers {
		r ^= random(n)
		r = random(r.next())
	}
	return r
}

func pick[T any](r *random, list []T) *T { return &list[r.below(len(list))] }

// share gives n*part/whole without overflow; part must not exceed whole.
func share(n, part, whole uint64) int64 {
	hi, lo := bits.Mul64(n, part)
	q, _ := bits.Div64(hi, lo, whole)
	return int64(q)
}
