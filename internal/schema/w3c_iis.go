package schema

const (
	ofIIS     = "W3C extended log of IIS"
	ofHTTPERR = "error log of HTTP.sys (HTTPERR)"
	ofFTP     = "W3C extended log of the FTP service"
)

// W3CIIS holds the lines of W3C logs of IIS, of HTTP.sys (HTTPERR) and of other
// W3C writers.
//
// The columns of a row whose _Raw is null give the line back: the fields that
// _Fields names, in its order, written as package w3c documents.
var W3CIIS = &Table{
	Name:      "w3c_iis",
	Version:   1,
	Doc:       "Lines of W3C logs: IIS, its FTP service, HTTP.sys's HTTPERR and others. W3CIISLog is a view of it.",
	Partition: ByDay,
	Sort:      []string{"sSiteName", "csUriStem", "TimeGenerated"},
	OwnName:   true,
	Columns: []Column{
		stats(col(1, "TimeGenerated", DateTime, "Time of the request; microseconds, floored, the seventh digit is in _TimeSub; null when the line has no date.", "date, time")),
		col(2, "_TimeSub", Int, docTimeSub, "time"),
		required(stats(col(3, "_IngestedAt", DateTime, docIngestedAt, originWadi))),
		required(stats(col(4, "_Source", Int, docSource, originWadi))),
		required(stats(col(5, "_Seq", Long, docSeq, originWadi))),
		required(col(6, "_Table", String, docTable+" W3CIISLog for IIS, else empty.", originWadi)),
		col(7, "_Fields", String, "The #Fields directive in effect, names separated by one blank.", "#Fields"),
		col(8, "_UtcOffset", Int, "Seconds that the log's clock was east of UTC; null for UTC.", originWadi),
		col(9, "_Extra", Dynamic, "Values of fields that have no column, as a JSON object by field name.", originWadi),
		col(10, "_Raw", String, "The exact line, only where the columns don't give it back.", originWadi),
		col(11, "_Damage", String, "Why the line doesn't fit its #Fields; null for whole ones.", originWadi),
		col(12, "sSiteName", String, "Name of the site's instance, such as W3SVC1.", ofIIS+", s-sitename"),
		col(13, "sComputerName", String, "Name of the server as the log says it.", ofIIS+", s-computername"),
		col(14, "sIP", String, "Address of the server.", ofIIS+", s-ip"),
		col(15, "sPort", Int, "Port of the server.", ofIIS+", s-port"),
		col(16, "csMethod", String, "Method of the request.", ofIIS+", cs-method"),
		col(17, "csUriStem", String, "Path of the request.", ofIIS+", cs-uri-stem"),
		col(18, "csUriQuery", String, "Query of the request.", ofIIS+", cs-uri-query"),
		col(19, "csUserName", String, "Name of the authenticated user.", ofIIS+", cs-username"),
		col(20, "cIP", String, "Address of the client.", ofIIS+", c-ip"),
		col(21, "csVersion", String, "Protocol and version of the request.", ofIIS+", cs-version"),
		col(22, "csUserAgent", String, "User-Agent header, blanks as such.", ofIIS+", cs(User-Agent)"),
		col(23, "csCookie", String, "Cookie header, as written.", ofIIS+", cs(Cookie)"),
		col(24, "csReferer", String, "Referer header, as written.", ofIIS+", cs(Referer)"),
		col(25, "csHost", String, "Host header.", ofIIS+", cs-host"),
		col(26, "scStatus", String, "Status of the response.", ofIIS+", sc-status"),
		col(27, "scSubStatus", String, "IIS's sub-status of the response.", ofIIS+", sc-substatus"),
		col(28, "scWin32Status", String, "Windows error code of the request.", ofIIS+", sc-win32-status"),
		col(29, "scBytes", Long, "Bytes sent.", ofIIS+", sc-bytes"),
		col(30, "csBytes", Long, "Bytes received.", ofIIS+", cs-bytes"),
		col(31, "TimeTaken", Long, "Milliseconds the request took, as written.", ofIIS+", time-taken"),
		col(32, "streamId", String, "HTTP/2 stream.", ofIIS+", streamid"),
		col(33, "cPort", Int, "Port of the client.", ofHTTPERR+", c-port"),
		col(34, "csUri", String, "Path and query of the request.", ofHTTPERR+", cs-uri"),
		col(35, "sSiteId", String, "Number of the site.", ofHTTPERR+", s-siteid"),
		col(36, "sReason", String, "Why HTTP.sys ended the request, such as Timer_ConnectionIdle.", ofHTTPERR+", s-reason"),
		col(37, "sQueueName", String, "Request queue (application pool).", ofHTTPERR+", s-queuename"),
		col(38, "transport", String, "Transport protocol of the connection.", ofHTTPERR+", transport"),
		col(39, "xSession", String, "Identifier of the FTP session.", ofFTP+", x-session"),
		col(40, "xFullPath", String, "Full path of the FTP command's target.", ofFTP+", x-fullpath"),
		col(41, "xDebug", String, "More about the FTP command's result.", ofFTP+", x-debug"),
	},
	Computed: hiddenColumns,
}
