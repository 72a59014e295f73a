package evtx

// Limits against crafted input. Real files stay far below each of them.
const (
	// maxRecordsInChunk bounds gaps of record identifiers inside a chunk: a chunk of
	// 64 KiB holds at most that many records of the smallest size.
	maxRecordsInChunk = ChunkSize / minRecordSize
	// maxLookBacks bounds the chunks that are found inside the place of others, each
	// of which costs a read of 64 KiB: a file that lost bytes has one or two.
	maxLookBacks = 64
	// maxElementDepth bounds open elements in one stream, and with it the recursion
	// over them. Windows writes fewer than 20.
	maxElementDepth = 256
	// maxNesting bounds template instances and fragments inside each other. Windows
	// nests two deep, forwarded events three.
	maxNesting = 32
	// maxNodes bounds the tree of one record: 200 nodes are usual, and each instance
	// of a template copies its nodes.
	maxNodes = 1 << 18
	// maxRecordText bounds the text of one record. A record has at most 64 KiB of
	// values, which escapes make six times as long.
	maxRecordText = 16 << 20
	// maxChunkText bounds the text of one chunk, which callers keep in memory, and
	// with nodeCost, the price of a node of a tree, the time that a chunk takes. A
	// real chunk renders to less than 1 MiB.
	maxChunkText = 64 << 20
	nodeCost     = 8
	// maxItems bounds the items of an array that a program writes; more take the
	// tree, which has its own limit. 64 KiB hold 32 Ki empty strings.
	maxItems = 1 << 15
	// maxCompiledBytes bounds the compiled templates that a Decoder keeps: real
	// files have some hundred of about 10 KiB.
	maxCompiledBytes = 32 << 20
	// compiledFactor is how much larger a compiled template is than its definition,
	// at most about.
	compiledFactor = 8
)
