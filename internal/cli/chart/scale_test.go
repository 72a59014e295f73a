package chart

import "testing"

func TestGrouped(t *testing.T) {
	for digits, want := range map[string]string{"0": "0", "999": "999", "1000": "1,000", "-1234567": "-1,234,567"} {
		if got := Grouped(digits); got != want {
			t.Errorf("%s gives %s", digits, got)
		}
	}
}
