// Sends rows with Azure Monitor's own client, unchanged: node send.cjs URL TOKEN RULE STREAM ROWS.
// Prints what the server said to a row with a column that it doesn't know.
const { LogsIngestionClient } = require("@azure/monitor-ingestion");

const [url, token, rule, stream, rows] = process.argv.slice(2);
const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600_000 }) };

async function main() {
  const client = new LogsIngestionClient(url, credential);
  const logs = [];
  for (let n = 0; n < Number(rows); n++) {
    logs.push({ TimeGenerated: new Date(Date.UTC(2026, 0, 1) + n).toISOString(), client: 1, n, note: "é".repeat(300) });
  }
  await client.upload(rule, stream, logs, { maxConcurrency: 3 });
  try {
    await client.upload(rule, stream, [{ n: 1, colour: "red" }]);
  } catch (e) {
    for (const one of e.errors ?? [e]) {
      console.log(String((one.cause ?? one).statusCode), (one.cause ?? one).message);
    }
  }
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
