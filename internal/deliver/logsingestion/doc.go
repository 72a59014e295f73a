// Package logsingestion is a client of Azure Monitor's Logs Ingestion protocol,
// which Wadi's own server speaks too.
//
// # How it works
//
// A [Client] sends one batch of rows, a JSON array, as one request, compressed by
// gzip: POST {URL}/dataCollectionRules/{rule}/streams/{stream}. 204 (any 2xx) is
// the acknowledgement. [Client.Send] returns when the batch is acknowledged or
// refused; in between it tries again, for ever or for as long as Config says.
//
// Tried again: errors of the network, 408, 429 and 5xx. The pause doubles from
// half a second to a minute, with a quarter of it at random so that many senders
// don't come at once; Retry-After is obeyed. Refused, as a [*RefusedError]: all
// else, and a certificate that isn't trusted ([ErrCertificate]). A 401 is tried once more when the token has changed since (its file was
// renewed).
//
// # Once or at least once
//
// A request whose answer was lost is sent again. Towards a Wadi, a batch carries
// the sender's log and its number in that log (header Wadi-Batch), by which the
// receiver knows it, after any outage: exactly once. Azure Monitor knows no such
// thing and stores the batch again: at least once.
//
// # Safety
//
// The token goes to the host of URL only: redirects are not followed, and without
// TLS it is sent to this machine alone. A certificate is checked against the
// system's authorities, or those of Config, or it is pinned by its fingerprint.
//
// Sources: Microsoft's documentation of the Logs Ingestion API (api-version
// 2023-01-01) and of its limits, RFC 9110 (Retry-After).
package logsingestion
