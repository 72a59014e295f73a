// Package socket lets the command line run in a server: the protocol of the Unix
// socket that `wadi serve` listens on, for both of its sides. docs/formats/socket.md
// describes it byte by byte.
//
// # Why it exists
//
// A lake has one writer. While a server is that writer, `wadi import` and the rest
// of the command line must go through it, and should feel as if they didn't.
//
// # How it works
//
// A client connects, sends one [Call] (arguments, working folder, a few variables,
// what its streams are) and serves the server then: it prints what the server sends
// for its standard output and error, and answers questions about files. The server
// runs the command in a [Session]. The client opens the files, with its user's
// rights, and passes the descriptors of regular files (SCM_RIGHTS); what is no
// regular file, such as a pipe, is read by the client and sent. So the server needs
// no right on what is imported, never waits for a descriptor of unknown kind, and a
// client that has gone ends every wait.
//
// The client shows the server only what its user named: paths below the arguments,
// and the files of certain flags (see [Shown]). A server that was taken over by
// somebody can't make root's client open other files.
//
// # Who may connect
//
// The socket has mode 0600 in a folder of mode 0700, and the server looks at the
// peer's user, which the kernel tells: its own user or root. The client looks at
// the server's: root, its own user, or the owner of the lake.
//
// # Limits and trade-offs
//
// All limits are constants in limits.go. Output goes through the server's and the
// client's hands instead of by descriptor: a reader that doesn't read then stalls
// its own session only, until [stallLimit]. Works on Linux, where the lake does.
//
// Sources: unix(7), cmsg(3).
package socket
