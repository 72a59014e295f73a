package engine

import "strings"

// A report of confinement travels in one environment variable: words joined by
// commas, those that failed begin with "!".

func splitReport(report string) (confined, unconfined []string) {
	for word := range strings.SplitSeq(report, ",") {
		if failed, ok := strings.CutPrefix(word, "!"); ok {
			unconfined = append(unconfined, failed)
		} else if word != "" {
			confined = append(confined, word)
		}
	}
	return confined, unconfined
}
