// Package files turns what a user names on the command line into open log files.
//
// # Why it exists
//
// Evidence comes as single files, folders, globs, pipes, gzip files and zip
// archives, and names say little about what is inside: rotated logs lose their
// extension, exported ones get any. The importer wants one thing: a readable
// piece of bytes of a known type.
//
// # How it works
//
// [List] expands paths into entries without reading them (so that progress knows
// the total); [Entry.Open] reads one and gives its [Input]s: one for a plain or
// gzip file, one for each member of a zip archive, also where they are nested.
// The type is decided by the first bytes, never by the name. What is no log is
// given too, as [NotALog], so that the summary can count it.
//
// An EVTX file has to be read at random offsets, and de-duplication reads a text
// log twice, so an Input is an io.ReaderAt. A regular file is read where it
// lies; pipes and compressed data are first copied to a temporary file, which
// has no name in its folder any more when the first byte is written: a killed
// import leaves nothing behind.
//
// # Limits and trade-offs
//
// [MaxSpoolBytes], [MaxMembers] and [MaxDepth] bound what an archive can cost.
// Only what begins like a log is copied, so a bomb of zeros costs no disk.
// Compressed data that ends early gives what could be read, with
// [Input.Damage]. Folders are walked in name order without following links to
// folders; folders that hold a Wadi lake are passed by.
//
// Sources: [MS-EVEN6] and libevtx's format document for the EVTX signatures,
// RFC 1952, APPNOTE.TXT (zip), the W3C Extended Log File Format draft.
package files
