package socket

import "time"

const (
	// Protocol is the version of what is spoken. Both sides must have the same.
	Protocol = 1
	// maxFrame bounds one message: a command line is at most 2 MB on Linux, and grows
	// by a third in base64.
	maxFrame = 4 << 20
	// chunk is how much output or content one message carries.
	chunk = 64 << 10
	// MaxClients is how many calls run at once: people and scripts of one machine.
	// Each costs two goroutines and some buffers while it waits.
	MaxClients = 64
	// maxPending bounds descriptors that came and were not asked for yet; calls open
	// one file after the other.
	maxPending = 4
	// maxEntries bounds the names of one folder, which are held in memory.
	maxEntries = 1_000_000
	// entriesPerReply is how many names one reply carries: names have up to 255 bytes.
	entriesPerReply = 4096
	// maxHandles bounds the pipes and files that a client holds open for a call.
	maxHandles = 16
	// maxPath is Linux's PATH_MAX: a longer one can't be opened.
	maxPath = 4096
	// maxSocketPath is what fits into sun_path with its closing zero.
	maxSocketPath = 107
	// callTimeout bounds the time from connecting to the whole call.
	callTimeout = 5 * time.Second
	// stallLimit ends a session whose client takes nothing: longer than the longest
	// question, so it cuts off nothing that could still come.
	stallLimit = 11 * time.Minute
	// lastWords is how long a session that has ended may still send: an error's line
	// and the exit code, to a client that may take nothing.
	lastWords = 5 * time.Second
	// endGrace is how long a client waits for the end after it has cancelled: the
	// commit of a part takes seconds.
	endGrace = 60 * time.Second
	// dialTimeout bounds connecting to a server of the same machine.
	dialTimeout = 5 * time.Second
)
