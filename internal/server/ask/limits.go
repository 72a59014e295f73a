package ask

import "time"

const (
	// maxBody bounds a request: the parser's own limit on a question is lower.
	maxBody = 1 << 20
	// writeStall ends an answer whose client reads nothing: it holds a worker.
	writeStall = 30 * time.Second
	// progressEvery is how often progress is told.
	progressEvery = time.Second
	// rowsEvent is about how many bytes one event of rows has.
	rowsEvent = 64 << 10
	// retryAfter is when a question that was refused for want of a worker may come
	// again: most take less than a second.
	retryAfter = time.Second
	// maxSpan bounds durations: longer than any log.
	maxSpan = 100 * 366 * 24 * time.Hour

	// maxTails bounds live tails: each asks two small questions whenever rows come.
	maxTails = 8
	// tailEvery is how often a tail asks: rows are visible half a second after they
	// are durable.
	tailEvery = 500 * time.Millisecond
	// tailRows is about how many rows one question of a tail looks at.
	tailRows = 5000
	// maxBehind and maxSpans bound what a tail that can't keep up has before it: the
	// oldest rows are left out then, and that is told.
	maxBehind = 100_000
	maxSpans  = 10_000
	// tailPatience is how long a tail waits for rows to become visible: a commit that
	// failed is tried again within it.
	tailPatience = time.Minute
	// aliveEvery keeps proxies from ending a silent stream.
	aliveEvery = 15 * time.Second
)
