package event

import (
	"testing"
	"time"
)

func TestTicksAgainstTime(t *testing.T) {
	for _, s := range []string{
		"0001-01-01T00:00:00.0000000Z", "1601-01-01T00:00:00.0000001Z", "1969-12-31T23:59:59.9999999Z",
		"1970-01-01T00:00:00.0000000Z", "2000-02-29T12:34:56.7654321Z", "2026-11-24T16:44:32.1234567Z", "9999-12-31T23:59:59.9999999Z",
	} {
		want, err := time.Parse("2006-01-02T15:04:05.9999999Z", s)
		if err != nil {
			t.Fatal(err)
		}
		got, digits, err := ParseISO([]byte(s))
		if err != nil || digits != 7 {
			t.Fatalf("%s: %v, %d digits", s, err, digits)
		}
		if !got.Time().Equal(want) || got != FromTime(want) || got.String() != s {
			t.Errorf("%s: time %v, ticks %d, from time %d, printed %s", s, got.Time(), got, FromTime(want), got)
		}
		us, sub := got.UnixMicros()
		if FromUnixMicros(us)+Ticks(sub) != got || sub < 0 || sub > 9 {
			t.Errorf("%s: micros %d sub %d", s, us, sub)
		}
	}
}

func TestEveryDayOfTheCalendar(t *testing.T) {
	day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := int64(0); day.Year() < 10000; n++ {
		y, m, d := civil(n)
		if y != day.Year() || m != int(day.Month()) || d != day.Day() || daysBefore(y, m, d) != n {
			t.Fatalf("day %d: %d-%d-%d, want %s, back %d", n, y, m, d, day.Format(time.DateOnly), daysBefore(y, m, d))
		}
		day = day.AddDate(0, 0, 1)
	}
}

func TestParseISORejects(t *testing.T) {
	for _, s := range []string{
		"", "2020-01-01", "2020-13-01T00:00:00Z", "2020-02-30T00:00:00Z", "2020-01-01T24:00:00Z",
		"2020-01-01T00:00:00", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00.00000001Z", "2020-01-01T00:00:00.12345678901Z", "0000-01-01T00:00:00Z",
	} {
		if got, _, err := ParseISO([]byte(s)); err == nil {
			t.Errorf("%q: want an error, got %s", s, got)
		}
	}
	if got, digits, err := ParseISO([]byte("2020-01-01T00:00:00.123456700Z")); err != nil || digits != 9 || got.String() != "2020-01-01T00:00:00.1234567Z" {
		t.Errorf("nine digits: %s %d %v", got, digits, err)
	}
}

func TestFiletime(t *testing.T) {
	if got := FromFiletime(132_223_104_000_000_000).String(); got != "2020-01-01T00:00:00.0000000Z" {
		t.Error(got)
	}
	if got := FromFiletime(1<<64 - 1); got != MaxTicks {
		t.Error(got)
	}
}

func TestSpans(t *testing.T) {
	var b Batch
	empty, text := b.Append(nil), b.Append([]byte("x"))
	if !empty.Present() || b.Bytes(empty) == nil || b.String(text) != "x" || (Span{}).Present() || b.Bytes(Span{}) != nil {
		t.Error("absent, empty and present are confused", empty, text)
	}
}
