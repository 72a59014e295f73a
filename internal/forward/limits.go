package forward

import "time"

const (
	// maxBatchBytes bounds a batch's JSON: Azure takes 1 MB a call.
	maxBatchBytes = 900 << 10
	// maxBatchRows bounds its rows, so that one refused row is found soon.
	maxBatchRows = 5000
	// maxLine bounds a line of a text log; longer ones are refused.
	maxLine = 1 << 20
	// maxFiles bounds the files that are followed.
	maxFiles = 10_000
	// maxRefusedBytes bounds refused.jsonl: who fills it has to look at it.
	maxRefusedBytes = 100 << 20
	// maxRefusedRun is how many rows of a batch the receiver may refuse one after the
	// other until it is the sender's fault.
	maxRefusedRun = 10
	// maxState bounds what is read of a file of the cursor folder: pending.json is the
	// largest, a batch with the cursors of all its files.
	maxState = 64 << 20
	// headBytes and tailBytes of a text file tell whether it is the one that a cursor
	// belongs to.
	headBytes = 1024
	tailBytes = 4096
	// forgetAfter is how long the cursor of a file is kept that is gone: a share may be
	// away for days.
	forgetAfter = 30 * 24 * time.Hour
	// defaultPoll is how often the files are looked at.
	defaultPoll = time.Second
	// lookAnyway is how often a file is looked into whose size and time say that
	// nothing came: Windows writes event logs without touching either.
	lookAnyway = 15 * time.Second
)
