package syntax

// Words of the language that can't be names everywhere without brackets, although
// none is reserved altogether: Kusto reads `count = 1` and `['first'] = 1`, but not
// `first = 1`. The lists are what Microsoft's parser says of every word it knows.

// notDeclared are the words that name no new column without brackets.
var notDeclared = map[string]bool{
	"true": true, "false": true, "True": true, "False": true, "TRUE": true, "FALSE": true,
	"__contextual_datatable": true, "__crossCluster": true, "__crossDB": true, "__executeAndCache": true, "__id": true, "__isFuzzy": true,
	"__noWithSource": true, "__packedColumn": true, "__projectAway": true, "__sourceColumnIndex": true, "and": true, "anomalychart": true,
	"areachart": true, "asc": true, "bagexpansion": true, "barchart": true, "between": true, "bin_legacy": true, "boolean": true, "byte": true,
	"cachingpolicy": true, "callout": true, "cancel": true, "card": true, "char": true, "columnchart": true, "contains_cs": true, "containscs": true,
	"cycles": true, "dataexport": true, "datascope": true, "date": true, "datetime": true, "decimal": true, "decodeblocks": true, "desc": true,
	"double": true, "dynamic": true, "encodingpolicy": true, "endswith": true, "endswith_cs": true, "expandoutput": true, "extent_tags_retention": true,
	"external_data": true, "first": true, "flags": true, "float": true, "force_remote": true, "harddelete": true, "hardretention": true, "has_all": true,
	"has_any": true, "has_cs": true, "hasprefix": true, "hasprefix_cs": true, "hassuffix": true, "hassuffix_cs": true, "hotcache": true, "int": true,
	"int16": true, "int32": true, "int64": true, "int8": true, "isfuzzy": true, "journal": true, "kind": true, "ladderchart": true, "last": true,
	"like": true, "likecs": true, "linechart": true, "long": true, "missing": true, "nooptimization": true, "notcontains": true, "notcontainscs": true,
	"notlike": true, "notlikecs": true, "or": true, "others": true, "pathformat": true, "piechart": true, "pivotchart": true, "project": true,
	"queries": true, "query_results": true, "real": true, "relaxed": true, "restricted_view_access": true, "row_level_security": true, "rowstore": true,
	"rowstore_references": true, "rowstore_sealinfo": true, "rowstorepolicy": true, "rowstores": true, "scatterchart": true, "seal": true, "seals": true,
	"shards": true, "simple": true, "softdelete": true, "softretention": true, "stackedareachart": true, "startswith": true, "startswith_cs": true,
	"statistics": true, "storedqueryresultcontainers": true, "string": true, "tablepurge": true, "time": true, "timechart": true, "timeline": true,
	"timepivot": true, "timespan": true, "treemap": true, "uint": true, "uint16": true, "uint32": true, "uint64": true, "uint8": true, "ulong": true,
	"union": true, "uniqueid": true, "unrestrictedviewers": true, "views": true, "with_itemindex": true, "with_match_id": true, "with_source": true,
	"with_step_name": true, "withsource": true, "writeaheadlog": true,
}

// notReferred are the words that stand for no column or table without brackets.
var notReferred = map[string]bool{
	"__contextual_datatable": true, "__crossCluster": true, "__crossDB": true, "__id": true, "__isFuzzy": true, "__noWithSource": true,
	"__packedColumn": true, "__projectAway": true, "__sourceColumnIndex": true, "accumulate": true, "and": true, "anomalychart": true, "areachart": true,
	"as": true, "asc": true, "bagexpansion": true, "barchart": true, "between": true, "bin_legacy": true, "boolean": true, "by": true, "byte": true,
	"cachingpolicy": true, "callout": true, "cancel": true, "card": true, "char": true, "columnchart": true, "contains": true, "contains_cs": true,
	"containscs": true, "cycles": true, "dataexport": true, "datascope": true, "datatable": true, "date": true, "datetime": true, "decimal": true,
	"decodeblocks": true, "desc": true, "double": true, "dynamic": true, "earliest": true, "encodingpolicy": true, "endswith": true, "endswith_cs": true,
	"expandoutput": true, "extent_tags_retention": true, "external_data": true, "externaldata": true, "find": true, "first": true, "flags": true,
	"float": true, "force_remote": true, "harddelete": true, "hardretention": true, "has": true, "has_all": true, "has_any": true, "has_cs": true,
	"hasprefix": true, "hasprefix_cs": true, "hassuffix": true, "hassuffix_cs": true, "hotcache": true, "in": true, "int": true, "int16": true,
	"int32": true, "int64": true, "int8": true, "invoke": true, "isfuzzy": true, "journal": true, "ladderchart": true, "last": true, "latest": true,
	"like": true, "likecs": true, "linechart": true, "long": true, "materialize": true, "mdm": true, "missing": true, "nooptimization": true,
	"notcontains": true, "notcontainscs": true, "notlike": true, "notlikecs": true, "of": true, "or": true, "others": true, "pathformat": true,
	"piechart": true, "pivotchart": true, "print": true, "queries": true, "query_results": true, "real": true, "relaxed": true,
	"restricted_view_access": true, "row_level_security": true, "rowstore": true, "rowstore_references": true, "rowstore_sealinfo": true,
	"rowstorepolicy": true, "rowstores": true, "sample": true, "scatterchart": true, "seal": true, "seals": true, "search": true, "set": true,
	"shards": true, "simple": true, "softdelete": true, "softretention": true, "sql": true, "stackedareachart": true, "startswith": true,
	"startswith_cs": true, "statistics": true, "storedqueryresultcontainers": true, "string": true, "tablepurge": true, "time": true, "timechart": true,
	"timeline": true, "timepivot": true, "timespan": true, "title": true, "to": true, "toscalar": true, "totable": true, "treemap": true, "uint": true,
	"uint16": true, "uint32": true, "uint64": true, "uint8": true, "ulong": true, "union": true, "uniqueid": true, "unrestrictedviewers": true,
	"verbose": true, "viewers": true, "views": true, "where": true, "with_itemindex": true, "with_match_id": true, "with_step_name": true,
	"writeaheadlog": true,
}

// bracketed tells whether a name was written in brackets.
func (p *parser) bracketed(n *Name) bool {
	return n.Start < len(p.text) && p.text[n.Start] == '['
}

// declares checks a name that begins to mean something here.
func (p *parser) declares(n *Name, words map[string]bool) {
	if words[n.Name] && !p.bracketed(n) {
		p.needsBrackets(n.Span, n.Name)
	}
}

func (p *parser) needsBrackets(at Span, name string) {
	if !p.tooDeep {
		p.report(at, "the word "+name+" is no name without brackets here", "write ['"+name+"']")
	}
}
