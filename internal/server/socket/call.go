package socket

import "errors"

// ErrUnavailable tells that this system has no such socket: Wadi's is made for
// Linux.
var ErrUnavailable = errors.New("the socket for the command line works on Linux only")

// Call is what a client wants to be run.
type Call struct {
	// Version is the client's program version; it must be the server's.
	Version string
	// Args are the arguments of the command line without the program's name.
	Args []string
	// Dir is the client's working folder.
	Dir string
	// Env holds the variables that the command may look at.
	Env map[string]string
	// Screen tells that tables are cut where they would run off the screen.
	Screen bool
	// Stdout and Stderr say what the client's streams are.
	Stdout, Stderr Stream
	// Stdin tells whether standard input is a regular file, whose descriptor is
	// asked for then.
	StdinIsFile bool
}

// Stream describes a stream of the client.
type Stream struct {
	Terminal bool `json:"terminal,omitempty"`
	// Width is a terminal's in columns.
	Width int `json:"width,omitempty"`
}

// text is a string of any bytes: JSON's strings would change those that are no
// UTF-8.
type text []byte

// callMessage is Call as it is sent.
type callMessage struct {
	Protocol    int             `json:"protocol"`
	Version     string          `json:"version"`
	Args        []text          `json:"args"`
	Dir         text            `json:"dir"`
	Env         map[string]text `json:"env"`
	Screen      bool            `json:"screen,omitempty"`
	Stdout      Stream          `json:"stdout"`
	Stderr      Stream          `json:"stderr"`
	StdinIsFile bool            `json:"stdin_is_file,omitempty"`
}

func (c *Call) message() *callMessage {
	m := &callMessage{
		Protocol: Protocol, Version: c.Version, Dir: text(c.Dir), Screen: c.Screen, Stdout: c.Stdout, Stderr: c.Stderr,
		StdinIsFile: c.StdinIsFile, Env: map[string]text{},
	}
	for _, a := range c.Args {
		m.Args = append(m.Args, text(a))
	}
	for k, v := range c.Env {
		m.Env[k] = text(v)
	}
	return m
}

func (m *callMessage) call() Call {
	c := Call{
		Version: m.Version, Dir: string(m.Dir), Screen: m.Screen, Stdout: m.Stdout, Stderr: m.Stderr,
		StdinIsFile: m.StdinIsFile, Env: map[string]string{},
	}
	for _, a := range m.Args {
		c.Args = append(c.Args, string(a))
	}
	for k, v := range m.Env {
		c.Env[k] = string(v)
	}
	return c
}

// endMessage is the last message of a call.
type endMessage struct {
	Code int `json:"code"`
	// Error and Hint are set when the call was not run.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// The questions of a server.
const (
	askStat    = "stat"
	askLstat   = "lstat"
	askReadDir = "readdir"
	askGlob    = "glob"
	askOpen    = "open"   // a descriptor of a regular file, else a handle
	askStdin   = "stdin"  // the same for standard input
	askRead    = "read"   // from a handle
	askCreate  = "create" // a handle of a new file that takes its name at the end
	askWrite   = "write"
	askKeep    = "keep" // the end of a new file
	askClose   = "close"
)

// askMessage is a question of the server; what askWrite writes follows it.
type askMessage struct {
	ID     uint64 `json:"id"`
	What   string `json:"what"`
	Path   text   `json:"path,omitempty"`
	Handle int    `json:"handle,omitempty"`
	Max    int    `json:"max,omitempty"`
}

// replyMessage answers it; what askRead reads follows it.
type replyMessage struct {
	ID uint64 `json:"id"`
	// Errno is the system's error, or Error says what it is; Op is what failed.
	Errno int    `json:"errno,omitempty"`
	Error string `json:"error,omitempty"`
	Op    string `json:"op,omitempty"`
	EOF   bool   `json:"eof,omitempty"`

	Info    *infoMessage  `json:"info,omitempty"`
	Entries []infoMessage `json:"entries,omitempty"`
	// More tells that another reply to the same question follows.
	More   bool   `json:"more,omitempty"`
	Paths  []text `json:"paths,omitempty"`
	Handle int    `json:"handle,omitempty"`
}

// infoMessage is a fs.FileInfo; in a folder's list only name and type are set.
type infoMessage struct {
	Name  text   `json:"name"`
	Size  int64  `json:"size,omitempty"`
	Mode  uint32 `json:"mode,omitempty"`
	Mtime int64  `json:"mtime,omitempty"` // ns since 1970
}
