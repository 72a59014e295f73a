// Package forward follows log files as they grow and sends what comes to another
// Wadi, or to Azure Monitor, by the Logs Ingestion protocol.
//
// # How it works
//
// [Run] goes over the named files again and again. A file is an event log, an IIS
// log or JSON lines, by its content; the new records become rows, the rows
// batches of one stream. One batch is on its way at a time:
//
//  1. The batch, with its number and with the cursors as they are behind it, is
//     written to pending.json, durably.
//  2. It is sent until it is acknowledged (package deliver/logsingestion).
//  3. The cursors and the number are written, pending.json is removed.
//
// After a crash, pending.json is sent again as it is: the same rows under the same
// number, whatever has become of the files since. A Wadi knows the number and
// takes each batch once. Azure Monitor doesn't; there a batch may come twice.
//
// # Cursors
//
// A text file is known by its beginning and by the bytes before the cursor, not by
// its name: a renamed or copied log goes on where it was, a new one under an old
// name begins at its start. Only whole lines are taken. Of an event log, each chunk
// is known by its first record, with how many of its records were taken and their
// hash; so logs that are overwritten in a circle, archived or copied are followed
// too. Chunks are known over all files of the folder.
//
// # What can't be sent
//
// A batch that the receiver refuses (400, 413) is halved until the rows are found
// that it refuses; those, and lines that are no rows, are kept in refused.jsonl
// with the reason. Records that no event can be read from are counted as damaged.
// When the receiver takes none of several rows, or refuses the sender, Run ends:
// nothing is passed over then but what refused.jsonl has.
//
// # Limits and trade-offs
//
// Every limit is in limits.go. Batches go one by one: the round trip and three
// synced files bound the rate to some ten thousand events a second. IIS logs are
// sent with the columns of W3CIISLog; fields without such a column are left out
// and named in a warning. Logs of HTTP.sys and FTP have no stream and are skipped.
//
// Sources: Microsoft's documentation of the Logs Ingestion API and its limits.
package forward
