package w3c

import (
	"bytes"
	"fmt"
	"time"

	"github.com/wadi-project/wadi/internal/event"
)

// clock makes a row's time of its date and time fields. Of these at most one of
// each kind has a role (see settleRoles).
type clock struct {
	loc *time.Location

	// What the field list says: whether it has a date, and what the texts are.
	hasDate    bool
	local, utc bool

	// Of the row.
	date, time     []byte
	dateAt, timeAt int

	// day is the start of the date last read, whose text is dayText.
	day     event.Ticks
	dayText [10]byte

	// From #Date, for field lists without a date.
	base   event.Ticks // start of the day
	hasDay bool
	over   bool        // the times went back: base is not the rows' day any more
	last   event.Ticks // time of day of the last row under this #Date
}

// directive takes the value of #Date.
func (c *clock) directive(v []byte) {
	c.hasDay, c.over = false, false
	if len(v) >= 10 {
		c.base, c.hasDay = parseDate(v[:10])
	}
	c.last = 0
}

// setFields learns which fields a new #Fields directive has.
func (c *clock) setFields(fields []field) {
	c.hasDate, c.local, c.utc, c.last = false, false, false, 0
	for _, f := range fields {
		c.hasDate = c.hasDate || f.role.isDate()
		c.local = c.local || f.role == roleDateLocal || f.role == roleTimeLocal
		c.utc = c.utc || f.role == roleDateUTC || f.role == roleTimeUTC
	}
}

func (c *clock) begin() { c.date, c.time = nil, nil }

// take notes the text of a date or time field.
func (c *clock) take(r role, v []byte, at int) {
	if r.isDate() {
		c.date, c.dateAt = v, at
	} else {
		c.time, c.timeAt = v, at
	}
}

// end sets the row's time. It says why there is none, if that is a fault of the
// row, and whether the texts have to be kept because the time doesn't give them
// back.
func (c *clock) end(row *Row) (reason string, keepDate, keepTime bool) {
	if c.time == nil || c.hasDate && c.date == nil {
		return "", true, true
	}
	tod, ok := parseTime(c.time)
	if !ok {
		return fmt.Sprintf("the time %.40q can't be read", c.time), true, true
	}
	day := c.base
	if c.hasDate {
		if day, ok = c.parseDay(c.date); !ok {
			return fmt.Sprintf("the date %.40q can't be read", c.date), true, true
		}
	} else {
		// A log without dates: #Date tells the day of its first row only.
		switch {
		case !c.hasDay:
			return "", true, true
		case tod+event.TicksPerDay/2 < c.last:
			// This row says so; the ones behind it just have no day.
			c.hasDay, c.over = false, true
			return "the time went back: the day of #Date is over", true, true
		}
		c.last = tod
	}
	keepTime = len(c.time) != len("15:04:05")
	switch {
	case c.local && c.loc == nil:
		return "local time, and no zone was given", true, true
	case c.utc || c.loc == nil || c.loc == time.UTC:
		row.Time, row.HasTime = day+tod, true
		return "", false, keepTime
	}
	wall := (day + tod).Time()
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), c.loc)
	_, offset := t.Zone()
	row.Time, row.HasTime, row.UTCOffset = event.FromTime(t), true, int32(offset)
	// In the hour that summer time skips, the wall clock never showed the text.
	skipped := row.Time+event.Ticks(offset)*event.TicksPerSecond != day+tod
	return "", skipped, skipped || keepTime
}

// parseDay reads a date and remembers the last, since most rows have the date of
// the row before.
func (c *clock) parseDay(v []byte) (event.Ticks, bool) {
	if bytes.Equal(v, c.dayText[:]) {
		return c.day, true
	}
	day, ok := parseDate(v)
	if ok {
		c.day = day
		copy(c.dayText[:], v)
	}
	return day, ok
}

// parseDate reads 2006-01-02.
func parseDate(v []byte) (event.Ticks, bool) {
	if len(v) != 10 {
		return 0, false
	}
	var b [20]byte
	copy(b[:], v)
	copy(b[10:], "T00:00:00Z")
	t, _, err := event.ParseISO(b[:])
	return t, err == nil
}

// parseTime reads 15:04:05 with a fraction of any length, of which 100 ns are
// used, as the time of day.
func parseTime(v []byte) (event.Ticks, bool) {
	if len(v) < 8 || v[2] != ':' || v[5] != ':' || len(v) > 8 && (v[8] != '.' || len(v) == 9) {
		return 0, false
	}
	var digits [6]int
	for i, at := range [6]int{0, 1, 3, 4, 6, 7} {
		d := int(v[at]) - '0'
		if d < 0 || d > 9 {
			return 0, false
		}
		digits[i] = d
	}
	h, m, s := digits[0]*10+digits[1], digits[2]*10+digits[3], digits[4]*10+digits[5]
	if h > 23 || m > 59 || s > 59 {
		return 0, false
	}
	frac, unit := event.Ticks(0), event.TicksPerSecond/10
	for i := 9; i < len(v); i++ {
		d := int(v[i]) - '0'
		if d < 0 || d > 9 {
			return 0, false
		}
		frac += event.Ticks(d) * unit
		unit /= 10
	}
	return event.Ticks(h*3600+m*60+s)*event.TicksPerSecond + frac, true
}
