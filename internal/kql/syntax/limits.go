package syntax

// Limits of a query's text. They bound time and stack of everything that walks
// the tree, and lie far above what people write: the longest of 1,537 public
// queries has 24 KB, the deepest nests 12 levels.
const (
	// MaxText is the longest query in bytes.
	MaxText = 1 << 20
	// MaxDepth bounds how deeply the parser nests; a bracket takes two levels.
	MaxDepth = 400
	// maxChain bounds the operands of one unbracketed chain (a or b or c …),
	// which makes a tree as deep as the chain is long.
	maxChain = 2000
	// maxTuple is how many names (a, b, …) = x may have.
	maxTuple = 100
	// maxDiagnostics ends the search for more errors.
	maxDiagnostics = 20
)
