package archtest

// module is the import path every rule is relative to.
const module = "github.com/wadi-project/wadi/"

// floor orders the packages: imports go down only. Packages of the same floor
// may import each other only where edges says so.
type floor int

const (
	vocabulary floor = iota + 1 // event, schema: standard library only
	pure                        // bytes or values in, values out
	state                       // files, Iceberg, SQLite
	work                        // collectors, engine, pipelines
	edge                        // command line, later HTTP
	mains                       // cmd/*
	forTests                    // test-only packages; nothing imports them but tests
)

// floors names the floor of each folder; the longest prefix wins.
var floors = map[string]floor{
	"internal/event":  vocabulary,
	"internal/schema": vocabulary,

	"internal/evtx":     pure,
	"internal/eventxml": pure,
	"internal/w3c":      pure,
	"internal/evidence": pure,
	"internal/kql":      pure,

	"internal/catalog": state,
	"internal/lake":    state,
	"internal/ledger":  state,
	"internal/wal":     state,

	"internal/pipe":    work,
	"internal/deliver": work,
	"internal/forward": work,
	"internal/collect": work,
	"internal/engine":  work,
	"internal/query":   work,
	"internal/demo":    work,

	"internal/cli":    edge,
	"internal/server": edge,
	"cmd":             mains,

	"internal/archtest":      forTests,
	"internal/bench":         forTests,
	"internal/doctest":       forTests,
	"internal/proof":         forTests,
	"internal/evtx/evtxtest": forTests,
	"internal/kql/kqltest":   forTests,
}

// edges are the imports allowed within one floor, importer → imported.
var edges = map[string][]string{
	"internal/kql/expr":       {"internal/kql/syntax", "internal/kql/fn", "internal/kql/plan", "internal/kql/udf", "internal/kql/dyn", "internal/kql/decimal"},
	"internal/kql/operator":   {"internal/kql/syntax", "internal/kql/fn", "internal/kql/plan", "internal/kql/expr", "internal/kql/dyn", "internal/kql/pattern"},
	"internal/kql/bind":       {"internal/kql/syntax", "internal/kql/fn", "internal/kql/plan", "internal/kql/expr", "internal/kql/operator"},
	"internal/kql/complete":   {"internal/kql/bind", "internal/kql/syntax", "internal/kql/fn", "internal/kql/plan"},
	"internal/kql/plan":       {"internal/kql/fn"},
	"internal/kql/series":     {"internal/kql/udf", "internal/kql/dyn"},
	"internal/kql/agg":        {"internal/kql/udf", "internal/kql/dyn", "internal/kql/decimal"},
	"internal/kql/duck":       {"internal/kql/plan", "internal/kql/fn", "internal/kql/udf"},
	"internal/kql/dyn":        {"internal/kql/fn"},
	"internal/kql/pattern":    {"internal/kql/fn", "internal/kql/dyn", "internal/kql/decimal"},
	"internal/kql/udf":        {"internal/kql/dyn", "internal/kql/fn", "internal/kql/decimal", "internal/eventxml", "internal/kql/pattern"},
	"internal/lake":           {"internal/lake/datafile", "internal/lake/folder", "internal/lake/store", "internal/catalog", "internal/ledger"},
	"internal/lake/store":     {"internal/catalog", "internal/lake/datafile", "internal/lake/folder"},
	"internal/lake/folder":    {"internal/catalog"},
	"internal/ledger":         {"internal/catalog", "internal/lake/datafile"},
	"internal/collect/bulk":   {"internal/pipe", "internal/collect/files", "internal/collect/windowsrow"},
	"internal/collect/dump":   {"internal/pipe"},
	"internal/collect/stream": {"internal/pipe"},
	"internal/collect/ingest": {"internal/collect/windowsrow"},
	"internal/query":          {"internal/engine"},
	"internal/forward":        {"internal/collect/files", "internal/deliver/logsingestion"},
	"internal/demo":           {"internal/collect/bulk"},
	"internal/server":         {"internal/server/ask"},
	"internal/cli":            {"internal/cli/chart", "internal/cli/shell", "internal/server", "internal/server/socket"},
}

// home is a library that only some folders may import directly.
type home struct {
	prefix  string
	folders []string
	reason  string
}

var homes = []home{
	{"github.com/apache/iceberg-go", []string{"internal/lake"}, "the table format has one home, so that its API can change in one place"},
	{"github.com/apache/arrow-go/", []string{"internal/lake", "internal/engine", "internal/collect/ingest"}, "Arrow and Parquet stay behind the lake, the engine and the decoding of what is sent"},
	{"github.com/duckdb/", []string{"internal/engine"}, "DuckDB is the only cgo; everything else must build without it"},
	{"modernc.org/sqlite", []string{"internal/catalog", "internal/lake"}, "state has one home"},
	{"database/sql", []string{"internal/catalog", "internal/lake", "internal/engine", "internal/ledger"}, "state has one home"},
	{"github.com/spf13/", []string{"internal/cli"}, "flags belong to the edge"},
	{"github.com/vbauerster/", []string{"internal/cli"}, "progress belongs to the edge"},
	{"github.com/peterh/liner", []string{"internal/cli"}, "the terminal belongs to the edge"},
	{"go.yaml.in/", []string{"internal/server"}, "settings belong to the edge"},
	{"golang.org/x/term", []string{"internal/cli"}, "the terminal belongs to the edge"},
}

// impure are imports that bytes-in, values-out code has no use for.
var impure = map[string]string{
	"os":           "pure code gets its bytes from the caller",
	"os/exec":      "pure code starts nothing",
	"os/signal":    "pure code starts nothing",
	"net":          "pure code has no network",
	"net/http":     "pure code has no network",
	"syscall":      "pure code makes no system calls",
	"log":          "pure code returns errors",
	"log/slog":     "pure code returns errors",
	"database/sql": "pure code has no state",
	"math/rand":    "pure code is deterministic",
	"math/rand/v2": "pure code is deterministic",
}

// Sizes of things; what is longer is two things.
const (
	maxFunctionLines = 80
	maxFileLines     = 800
	maxPackageLines  = 5000
	maxMainLines     = 150
)

// bannedFolders say nothing about what is inside.
var bannedFolders = []string{"util", "utils", "common", "base", "lib", "misc", "helper", "helpers", "shared"}
