package w3c

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/schema"
)

// stored is what the lake keeps of a row.
type stored struct {
	time    event.Ticks
	hasTime bool
	offset  int32
	fields  string
	columns map[string]string
	extra   string
}

func store(r *Row) stored {
	s := stored{r.Time, r.HasTime, r.UTCOffset, string(r.FieldNames), map[string]string{}, string(AppendExtra(nil, r))}
	for _, f := range r.Fields {
		if f.Col < 0 {
			continue
		}
		c := schema.W3CIIS.Columns[f.Col]
		s.columns[c.Name] = string(f.Value)
		if c.KQL == schema.Int || c.KQL == schema.Long { // as the lake gives numbers back
			bits := map[schema.Type]int{schema.Int: 32, schema.Long: 64}[c.KQL]
			n, err := strconv.ParseInt(string(f.Value), 10, bits)
			if err != nil {
				panic(err)
			}
			s.columns[c.Name] = strconv.FormatInt(n, 10)
		}
	}
	return s
}

// line writes the line of a row from what is stored, as docs/formats/w3c.md
// says.
func (s *stored) line() string {
	extra := map[string]string{}
	if s.extra != "" {
		if err := json.Unmarshal([]byte(s.extra), &extra); err != nil {
			panic(err)
		}
	}
	wall := (s.time + event.Ticks(s.offset)*event.TicksPerSecond).String()
	date, rest, _ := strings.Cut(wall, "T")
	var parts []string
	dates, times := 0, 0
	for name := range strings.FieldsSeq(s.fields) {
		low := strings.ToLower(name)
		column := s.columns[columnNames[low]]
		value, isExtra := extra[name]
		switch {
		case isExtra:
		case column != "" && low == "cs(user-agent)":
			value = strings.ReplaceAll(column, " ", "+")
		case column != "":
			value = column
		case s.hasTime && roles[low].isDate() && dates == 0:
			value = date
			dates++
		case s.hasTime && roles[low] != roleValue && !roles[low].isDate() && times == 0:
			value = rest[:8]
			times++
		default:
			value = "-"
		}
		parts = append(parts, value)
	}
	return strings.Join(parts, " ")
}

// checkRow holds a row to what package documentation promises.
func checkRow(t testing.TB, row *Row, line []byte) {
	t.Helper()
	if row.Damage != "" && !row.NeedsRaw {
		t.Errorf("%q: damaged, and Raw is not asked for", line)
	}
	if !bytes.Equal(bytes.ToValidUTF8(row.Raw, nil), row.Raw) {
		t.Errorf("%q: Raw is not UTF-8: %q", line, row.Raw)
	}
	for _, f := range row.Fields {
		if !bytes.Equal(bytes.ToValidUTF8(f.Value, nil), f.Value) || !bytes.Equal(bytes.ToValidUTF8(f.Name, nil), f.Name) {
			t.Errorf("%q: %s is not UTF-8: %q", line, f.Name, f.Value)
		}
	}
	s := store(row)
	if s.extra != "" && !json.Valid([]byte(s.extra)) {
		t.Errorf("%q: no JSON: %s", line, s.extra)
	}
	if !row.NeedsRaw {
		if got := s.line(); got != string(line) {
			t.Errorf("the columns don't give the line back:\n got %q\nwant %q", got, line)
		}
	} else if row.Damage == "" || !strings.Contains(row.Damage, "cut") && !strings.Contains(row.Damage, "8859") {
		if string(row.Raw) != string(line) {
			t.Errorf("Raw is %q, want %q", row.Raw, line)
		}
	}
}

// describe prints a log's rows: time, columns, extra, damage, and a star when
// the line itself has to be stored.
func describe(t testing.TB, p *Parser, log string) string {
	var b strings.Builder
	var row Row
	for line := range strings.SplitAfterSeq(log, "\n") {
		if line == "" || p.Line([]byte(line), &row) != Data {
			continue
		}
		bare := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if p.line == 1 {
			bare = strings.TrimPrefix(bare, "\xef\xbb\xbf")
		}
		checkRow(t, &row, []byte(bare))
		fmt.Fprintf(&b, "%d", row.Line)
		if row.HasTime {
			fmt.Fprintf(&b, " %s", row.Time)
		}
		for _, f := range row.Fields {
			if f.Col >= 0 {
				fmt.Fprintf(&b, " %s=%s", schema.W3CIIS.Columns[f.Col].Name, f.Value)
			}
		}
		fmt.Fprintf(&b, " %s", AppendExtra(nil, &row))
		if row.NeedsRaw {
			b.WriteString(" *")
		}
		if row.Damage != "" {
			fmt.Fprintf(&b, " !%s", row.Damage)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

const dateTime = "#Fields: date time cs-method cs-uri-stem sc-status\n"

func TestRows(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	for _, c := range []struct {
		name, log, want string
		opts            Options
	}{
		{
			name: "plain, with CRLF, and absent values", log: "\xef\xbb\xbf#Software: Microsoft Internet Information Services 10.0\r\n" + dateTime + "2026-01-02 03:04:05 GET / 200\r\n2026-01-02 03:04:06 - /a 404",
			want: "3 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=/ scStatus=200 \n4 2026-01-02T03:04:06.0000000Z csUriStem=/a scStatus=404 \n",
		},
		{
			name: "fields change", log: dateTime + "2026-01-02 03:04:05 GET / 200\n#Fields: time date sc-status X-Forwarded-For\n03:04:07 2026-01-02 500 10.0.0.1,+10.0.0.2\n",
			want: "2 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=/ scStatus=200 \n4 2026-01-02T03:04:07.0000000Z scStatus=500 {\"X-Forwarded-For\":\"10.0.0.1,+10.0.0.2\"}\n",
		},
		{name: "no directive", log: "2026-01-02 03:04:05 GET / 200\n", want: "1  * !no #Fields directive before the row\n"},
		{name: "short, cut by a crash", log: dateTime + "2026-01-02 03:04:05 GET /in\n", want: "2 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=/in  * !the row has 4 values, #Fields has 5 names\n"},
		{name: "extra values", log: dateTime + "2026-01-02 03:04:05 GET / 200 0 0\n", want: "2 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=/ scStatus=200  * !the row has 7 values, #Fields has 5 names\n"},
		{name: "user agent", log: "#Fields: cs(User-Agent)\nMozilla/5.0+(compatible;+bot;++http://b)\n\"quoted+start\nMy\"Agent\n", want: "2 csUserAgent=Mozilla/5.0 (compatible; bot; +http://b) \n3 csUserAgent=\"quoted start \n4 csUserAgent=My\"Agent \n"},
		{name: "numbers", log: "#Fields: sc-bytes cs-bytes time-taken s-port\n12 007 0.25 99999999999\n-1 -0 + 80\n", want: "2 scBytes=12 {\"cs-bytes\":\"007\",\"time-taken\":\"0.25\",\"s-port\":\"99999999999\"}\n3 scBytes=-1 sPort=80 {\"cs-bytes\":\"-0\",\"time-taken\":\"+\"}\n"},
		{
			name: "blanks and tabs", log: dateTime + "2026-01-02  03:04:05 GET / 200 \n2026-01-02\t03:04:05\tGET\t/a b\t200\n",
			want: "2 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=/ scStatus=200  *\n3 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=/a b scStatus=200  *\n",
		},
		{
			name: "quoted", log: dateTime + "2026-01-02 03:04:05 GET \"/a \"\"b\"\" c\" 200\n2026-01-02 03:04:05 GET \"/a b 200\n",
			want: "2 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=/a \"b\" c scStatus=200  *\n3 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=\"/a scStatus=b  * !the row has 6 values, #Fields has 5 names\n",
		},
		{
			name: "bad times", log: dateTime + "2026-13-02 03:04:05 GET / 200\n2026-01-02 24:04:05 GET / 200\n- 03:04:05 GET / 200\n2026-01-02 - GET / 200\n",
			want: "2 csMethod=GET csUriStem=/ scStatus=200 {\"date\":\"2026-13-02\",\"time\":\"03:04:05\"} * !the date \"2026-13-02\" can't be read\n" +
				"3 csMethod=GET csUriStem=/ scStatus=200 {\"date\":\"2026-01-02\",\"time\":\"24:04:05\"} * !the time \"24:04:05\" can't be read\n" +
				"4 csMethod=GET csUriStem=/ scStatus=200 {\"time\":\"03:04:05\"}\n5 csMethod=GET csUriStem=/ scStatus=200 {\"date\":\"2026-01-02\"}\n",
		},
		{
			name: "fractions", log: "#Fields: date time\n2026-01-02 03:04:05.1234567\n2026-01-02 03:04:05.000\n",
			want: "2 2026-01-02T03:04:05.1234567Z {\"time\":\"03:04:05.1234567\"}\n3 2026-01-02T03:04:05.0000000Z {\"time\":\"03:04:05.000\"}\n",
		},
		{
			name: "date from #Date", log: "#Date: 2026-01-02 23:59:00\n#Fields: time cs-method\n23:59:58 A\n00:00:01 B\n00:00:02 C\n#Date: 2026-01-03 00:00:03\n00:00:03 D\n",
			want: "3 2026-01-02T23:59:58.0000000Z csMethod=A \n4 csMethod=B {\"time\":\"00:00:01\"} * !the time went back: the day of #Date is over\n5 csMethod=C {\"time\":\"00:00:02\"}\n7 2026-01-03T00:00:03.0000000Z csMethod=D \n",
		},
		{name: "no date anywhere", log: "#Fields: time cs-method\n23:59:58 A\n", want: "2 csMethod=A {\"time\":\"23:59:58\"}\n"},
		{
			name: "local time, no zone", log: "#Fields: date-local time-local cs-method\n2026-07-02 03:04:05 A\n",
			want: "2 csMethod=A {\"date-local\":\"2026-07-02\",\"time-local\":\"03:04:05\"} * !local time, and no zone was given\n",
		},
		{
			name: "local time with zone", opts: Options{Location: berlin}, log: "#Fields: date-local time-local cs-method\n2026-07-02 03:04:05 A\n2026-01-02 00:04:05 B\n2026-03-29 02:30:00 skipped\n",
			want: "2 2026-07-02T01:04:05.0000000Z csMethod=A \n3 2026-01-01T23:04:05.0000000Z csMethod=B \n4 2026-03-29T01:30:00.0000000Z csMethod=skipped {\"date-local\":\"2026-03-29\",\"time-local\":\"02:30:00\"}\n",
		},
		{
			name: "UTC beside local", opts: Options{Location: berlin}, log: "#Fields: date-local time-local date-utc time-utc\n2026-07-02 05:04:05 2026-07-02 03:04:05\n",
			want: "2 2026-07-02T03:04:05.0000000Z {\"date-local\":\"2026-07-02\",\"time-local\":\"05:04:05\"}\n",
		},
		{name: "a field twice", log: "#Fields: cs-host cs(Host)\na b\n", want: "2 csHost=a csHost=b  *\n"},
		{name: "not UTF-8", log: "#Fields: cs-uri-stem cs-method\n/\xe9t\xe9 GET\n", want: "2 csUriStem=/été csMethod=GET  * !the line is not UTF-8: read as ISO 8859-1\n"},
		{name: "NULs of a crash", log: dateTime + "\x00\x00\x00\n\x00\x002026-01-02 03:04:05 GET / 200\n", want: "3 2026-01-02T03:04:05.0000000Z csMethod=GET csUriStem=/ scStatus=200  * !2 NUL bytes before the row\n"},
		{name: "too long", opts: Options{MaxLineBytes: 8}, log: "#Fields: a\n123456789\n", want: "2  * !the line has 9 bytes, more than 8: cut\n"},
	} {
		if d := cmp.Diff(c.want, describe(t, NewParser(c.opts), c.log)); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		log  string
		want Format
	}{
		{"#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip\n", IIS},
		{"#Software: Microsoft Internet Information Server 4.0\n#Fields: time c-ip cs-method cs-uri-stem\n", IIS},
		{"#Software: Microsoft HTTP API 2.0\n#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename\n", HTTPERR},
		{"#Software: Microsoft HTTP Server API 2.0\n#Fields: date time cs-uri-stem\n", IIS},
		{"#Fields: date time s-sitename cs-uri-stem sc-status sc-substatus\n", IIS},
		{"#Version: 1.0\n#Fields: date time x-edge-location cs-uri-stem\n", Other},
	} {
		p, row := NewParser(Options{}), Row{}
		for line := range strings.Lines(c.log) {
			p.Line([]byte(line), &row)
		}
		if kind := p.Line([]byte("x"), &row); kind != Data || row.Format != c.want {
			t.Errorf("%s: format %d, want %d", c.log, row.Format, c.want)
		}
	}
}

// TestHTTPERR reads lines as HTTP.sys writes them.
func TestHTTPERR(t *testing.T) {
	got := describe(t, NewParser(Options{}), "#Software: Microsoft HTTP API 2.0\r\n#Version: 1.0\r\n#Date: 2026-01-02 03:04:05\r\n"+
		"#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid sc-status s-siteid s-reason s-queuename transport\r\n"+
		"2026-01-02 03:04:05 fe80::1%4 49827 10.0.0.1 443 HTTP/2.0 GET /a?b=c 5 503 1 AppOffline Default+App+Pool TCP\r\n"+
		"2026-01-02 03:04:06 10.0.0.9 49828 10.0.0.1 443 - - - - - - Timer_ConnectionIdle - -\r\n")
	want := "5 2026-01-02T03:04:05.0000000Z cIP=fe80::1%4 cPort=49827 sIP=10.0.0.1 sPort=443 csVersion=HTTP/2.0 csMethod=GET csUri=/a?b=c streamId=5 scStatus=503 sSiteId=1 sReason=AppOffline sQueueName=Default+App+Pool transport=TCP \n" +
		"6 2026-01-02T03:04:06.0000000Z cIP=10.0.0.9 cPort=49828 sIP=10.0.0.1 sPort=443 sReason=Timer_ConnectionIdle \n"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestCorpus reads the real logs and compares with golden files.
func TestCorpus(t *testing.T) {
	corpus := os.Getenv("WADI_CORPUS")
	if corpus == "" {
		t.Skip("WADI_CORPUS is not set: no real logs to read")
	}
	files, err := filepath.Glob(filepath.Join(corpus, "iis", "*.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no logs in the corpus: %v", err)
	}
	for _, file := range files {
		log, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, rows, damaged, raw, timed := NewParser(Options{Location: time.UTC}), 0, 0, 0, 0
		var row Row
		var first, last event.Ticks
		for line := range bytes.Lines(log) {
			if p.Line(line, &row) != Data {
				continue
			}
			if first == 0 {
				first = row.Time
			}
			last = row.Time
			checkRow(t, &row, bytes.TrimRight(line, "\r\n"))
			rows++
			damaged += count(row.Damage != "")
			raw += count(row.NeedsRaw)
			timed += count(row.HasTime)
		}
		got := fmt.Sprintf("%d rows, %d with time, %d raw, %d damaged, %s to %s", rows, timed, raw, damaged, first.AppendISO(nil, 3), last.AppendISO(nil, 3))
		if want := corpusCounts[filepath.Base(file)]; got != want {
			t.Errorf("%s: %s, want %s", filepath.Base(file), got, want)
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// corpusCounts were read off the files by eye.
var corpusCounts = map[string]string{
	"02-lnav-iis85-nonascii.log":            "1 rows, 1 with time, 0 raw, 0 damaged, 2015-01-13T00:32:17.000Z to 2015-01-13T00:32:17.000Z",
	"03-lnav-iis4-ftp-no-date-field.log":    "14 rows, 14 with time, 0 raw, 0 damaged, 2000-10-09T16:44:49.000Z to 2000-10-10T16:48:05.000Z",
	"04-lnav-short-fields-directive.log":    "1 rows, 1 with time, 1 raw, 1 damaged, 2015-01-13T00:32:17.000Z to 2015-01-13T00:32:17.000Z",
	"05-lnav-httpapi2.log":                  "1 rows, 1 with time, 0 raw, 0 damaged, 2002-05-02T17:42:15.000Z to 2002-05-02T17:42:15.000Z",
	"08-matomo-advanced-logging-quoted.log": "3 rows, 3 with time, 3 raw, 0 damaged, 2012-08-15T17:00:00.363Z to 2012-08-15T17:00:00.675Z",
}
