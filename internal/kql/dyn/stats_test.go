package dyn

import "testing"

func TestStatsIgnoring(t *testing.T) {
	s, ok := StatsOf([]byte(`[null,1,"x",3]`), true)
	if want := (Stats{Min: 1, MinIdx: 1, Max: 3, MaxIdx: 3, Avg: 2, Sum: 4, Variance: 2, Len: 4}); !ok || s != want {
		t.Errorf("got %+v, %v", s, ok)
	}
}

func TestAppendStats(t *testing.T) {
	s, _ := StatsOf([]byte("[10,20]"), false)
	const want = `{"min":10.0,"min_idx":0,"max":20.0,"max_idx":1,"avg":15.0,"stdev":7.0710678118654755,"variance":50.0,"sum":30.0,"len":2}`
	if got := string(AppendStats(nil, &s)); got != want {
		t.Errorf("got %s", got)
	}
}
