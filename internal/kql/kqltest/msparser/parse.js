// Asks Microsoft's Kusto parser about queries. Standard input: a line of JSON with
// the tables ({"T": [{"name", "type"}, …]}), then a line {"id", "query"} per query.
// Standard output: a line {"id", "syntax", "errors", "columns"} per query: faults of
// syntax, all faults, and the result's columns where the query gives a table.
'use strict';
const path = require('path');
const readline = require('readline');

const modules = process.argv[2];
const load = (file) => require(path.resolve(modules, '@kusto/language-service-next', file));
load('bridge.min.js');
load('Kusto.Language.Bridge.min.js');

const L = Kusto.Language;
const S = L.Symbols;

function globals(tables) {
  const column = (c) => new S.ColumnSymbol(c.name, S.ScalarTypes.GetSymbol(c.type), null, null, null, null);
  const symbols = Object.entries(tables || {}).map(([name, columns]) => new S.TableSymbol.$ctor4(name, columns.map(column)));
  const db = new S.DatabaseSymbol.$ctor3('workspace', null, new Bridge.ArrayEnumerable(symbols), false);
  return L.GlobalState.Default.WithDatabase(db);
}

function list(enumerable, f) {
  const out = [];
  for (const e = Bridge.getEnumerator(enumerable); e.moveNext();) out.push(f(e.Current));
  return out;
}

const fault = (d) => ({ code: d.Code, start: d.Start, length: d.Length, severity: d.Severity, message: d.Message });

function ask(query, state) {
  const code = L.KustoCode.ParseAndAnalyze(query, state);
  const syntax = list(code.GetSyntaxDiagnostics(), fault);
  const errors = list(code.GetDiagnostics(), fault).filter((d) => d.severity === 'Error');
  const result = code.ResultType;
  let columns = null;
  if (result && result.Columns) columns = list(result.Columns, (c) => ({ name: c.Name, type: c.Type.Name }));
  return { syntax, errors, columns };
}

let state = null;
readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
  const asked = JSON.parse(line);
  if (state === null) {
    state = globals(asked);
    return;
  }
  let answer;
  try {
    answer = ask(asked.query, state);
  } catch (e) {
    answer = { crash: String(e && e.message) };
  }
  process.stdout.write(JSON.stringify({ id: asked.id, ...answer }) + '\n');
});
