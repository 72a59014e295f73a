//go:build cgo

package duck_test

import (
	"testing"

	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// BenchmarkTranslate is the whole way from text to SQL, against the real schema.
func BenchmarkTranslate(b *testing.B) {
	for name, text := range map[string]string{
		"typical": `SecurityEvent
| where TimeGenerated > ago(1d) and EventID in (4624, 4625)
| where Account has "admin" and Computer startswith "dc"
| extend Target = strcat(TargetDomainName, "\\", TargetUserName)
| summarize Failed = countif(EventID == 4625), Hosts = dcount(Computer) by bin(TimeGenerated, 1h), Target
| where Failed > 10 | sort by Failed desc | take 20 | render timechart`,
		"star": `SecurityEvent | take 100`,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				q, diags := syntax.Parse(text)
				p, found := bind.Bind(q, schemaEnv)
				if len(diags)+len(found) > 0 {
					b.Fatal(diags, found)
				}
				if _, err := duck.Emit(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
