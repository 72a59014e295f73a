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
)
