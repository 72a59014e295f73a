package ingest

import "github.com/wadi-project/wadi/internal/lake/datafile"

func beginNumbered(rows *datafile.Rows) {
	rows.Begin()
	for _, c := range []string{"_IngestedAt", "_Source", "_Seq"} {
		rows.Int(rows.Table().Index(c), 0)
	}
}
