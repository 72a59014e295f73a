package w3c

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// FuzzLine feeds whole logs: whatever the bytes, every data line comes back from
// the columns or from Raw, and no text that leaves is other than UTF-8.
func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time cs-method cs(User-Agent) sc-bytes\r\n2026-01-02 03:04:05 GET Mozilla/5.0+(x;++http://b) 12\r\n",
		"#Software: IIS Advanced Logging Module\n#Fields: date-local time-local cs(Host) TimeTakenMS\n2026-01-02 03:04:05.123 \"a \"\"b\"\"\" 1\n",
		"#Date: 2026-01-02 23:59:00\n#Fields: time c-ip\n23:59:59 ::1\n00:00:01 -\n",
		"#Fields: date time date time\n2026-01-02 03:04:05 - -\n\x00\x00x\n",
		"\xef\xbb\xbf#Fields: \xe9 b\n\xff \xfe\n1\t2\n",
		"#Fields: date time\n0001-01-01 00:00:00\n9999-12-31 23:59:59.99999999999999\n",
	} {
		f.Add([]byte(s), 0)
		f.Add([]byte(s), 7200)
	}
	f.Fuzz(func(t *testing.T, log []byte, east int) {
		opts := Options{MaxLineBytes: 4096}
		if east %= 14 * 3600; east != 0 {
			opts.Location = time.FixedZone("test", east)
		}
		p, row, n := NewParser(opts), Row{}, int64(0)
		for line := range bytes.Lines(log) {
			n++
			if p.Line(line, &row) != Data {
				continue
			}
			if row.Line != n {
				t.Errorf("line %d says it is line %d", n, row.Line)
			}
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
			if n == 1 {
				line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
			}
			checkRow(t, &row, line)
		}
	})
}

// iisLog is a log as IIS writes it, of n lines that differ.
func iisLog(n int) []byte {
	var b bytes.Buffer
	b.WriteString("#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-01-02 00:00:00\n" +
		"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n")
	for i := range n {
		fmt.Fprintf(&b, "2026-01-02 %02d:%02d:%02d 10.0.0.1 GET /app/page%d.aspx id=%d 443 - 10.1.%d.%d Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/120.0.0.0+Safari/537.36 https://www.example.com/start 200 0 0 %d\n",
			i/3600%24, i/60%60, i%60, i%97, i, i/250%250, i%250, i%1000)
	}
	return b.Bytes()
}

func BenchmarkLine(b *testing.B) {
	log := iisLog(10_000)
	b.SetBytes(int64(len(log)))
	var row Row
	for b.Loop() {
		p, rows := NewParser(Options{}), 0
		for rest := log; len(rest) > 0; {
			n := bytes.IndexByte(rest, '\n') + 1
			if p.Line(rest[:n], &row) == Data {
				rows++
			}
			rest = rest[n:]
		}
		if rows != 10_000 || row.NeedsRaw || !strings.HasPrefix(string(row.Raw), "2026-01-02") {
			b.Fatalf("%d rows, the last is %q", rows, row.Raw)
		}
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "lines/s")
}

func TestLineDoesNotAllocate(t *testing.T) {
	log := iisLog(100)
	lines := bytes.SplitAfter(log, []byte("\n"))
	p, row := NewParser(Options{}), Row{}
	for _, l := range lines {
		p.Line(l, &row)
	}
	if n := testing.AllocsPerRun(100, func() { p.Line(lines[50], &row) }); n != 0 {
		t.Errorf("%v allocations a line, want none", n)
	}
}
