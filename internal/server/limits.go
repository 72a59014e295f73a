package server

import "time"

// Limits that are no settings. Those that are have their defaults in settings.go.
const (
	// maxHeaderBytes holds a token, a trace and what proxies add; Azure's clients
	// send about 1 KB.
	maxHeaderBytes = 16 << 10
	// headerTimeout bounds handshake and headers of a request.
	headerTimeout = 10 * time.Second
	// idleTimeout is above the minute after which most clients drop a connection.
	idleTimeout = 2 * time.Minute
	// writeTimeout bounds the writing of a short answer to a client that doesn't read.
	writeTimeout = 30 * time.Second
	// streamsPerConnection bounds the requests that run on one HTTP/2 connection.
	streamsPerConnection = 100

	// A body has bodyGrace, and a second more for each bodyRate bytes that came, so
	// that a sender can't hold memory for long by sending slowly.
	bodyGrace = 15 * time.Second
	bodyRate  = 8 << 10
	// restGrace is how long the rest of the body of a refused request may take;
	// readTimeout bounds bodies that no handler reads.
	restGrace   = 5 * time.Second
	readTimeout = 30 * time.Second
	// firstBuffer is what a body gets before it has shown its size; bodies that claim
	// more are not believed.
	firstBuffer = 32 << 10
	// maxWindow bounds what a zstd body makes its reader keep: RFC 9659 allows 8 MB
	// over HTTP.
	maxWindow = 8 << 20
	// rowsPerByte is how much memory the rows of a body take for each of its bytes:
	// a composed event holds its values twice, beside the body itself.
	rowsPerByte = 3
	// workWait is how long a body that has arrived waits for memory to be decoded
	// in; what holds that memory takes milliseconds, or waits for the disk.
	workWait = 5 * time.Second
	// workers are decoders that wait for the next body; keptBytes bounds the buffers
	// that each keeps.
	workers   = 32
	keptBytes = 2 << 20
	// restEvery is how long decoders keep their memory when nothing comes.
	restEvery = time.Minute
	// oneTokenPart is the part of the memory for arriving bodies that one token may
	// hold: one half.
	oneTokenPart = 2

	// wrongTokens is how many wrong tokens an address may show in wrongTokensWithin
	// before it gets 429 instead of 401; wrongAddresses bounds the addresses that are
	// counted.
	wrongTokens       = 20
	wrongTokensWithin = time.Minute
	wrongAddresses    = 4096

	// maxSettingsFile bounds wadi.yaml.
	maxSettingsFile = 1 << 20

	// certDays is how long a self-made certificate is valid (825 days is what the
	// strictest clients take), renewDays how long before its end it is made anew,
	// certEvery how often that is looked at.
	certDays  = 825
	renewDays = 30
	certEvery = 12 * time.Hour

	// closeTimeout is how long the rest of the log may take to come into the lake when
	// the server ends; what doesn't is there at the next start.
	closeTimeout = 2 * time.Minute

	// upkeepEvery is how often the lake is kept up while nothing arrives: files that
	// questions needed are removed by it.
	upkeepEvery = 10 * time.Minute
)
