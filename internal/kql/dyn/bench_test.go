package dyn

import "testing"

// sample is an event's data as JSON, 255 bytes.
var sample = []byte(`{"SubjectUserName":"user17","SubjectDomainName":"CONTOSO","LogonType":3,"IpAddress":"10.0.17.7","ProcessName":"C:\\Windows\\System32\\svchost.exe",` +
	`"Status":{"errorCode":2,"failureReason":"Other."},"tags":["a","b","c123456"],"WorkstationName":"WS-123456"}`)

// BenchmarkValue measures reading one value of 255 bytes of JSON: bytes a second.
func BenchmarkValue(b *testing.B) {
	last := Path{Member("WorkstationName")}
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"valid", func() { isValid(sample) }},
		{"find", func() { Find(sample, last) }},
		{"findText", func() { FindText(sample, last) }},
		{"parse", func() { buffer, _ = Parse(buffer[:0], sample) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(sample)))
			for b.Loop() {
				c.do()
			}
		})
	}
}

var buffer []byte
