#!/usr/bin/env bash
# `make run`: makes a demo lake in ./wadi-demo (anew when it is older than a day
# or of another version) and asks it five questions. Never touches wadi-data.
set -euo pipefail
wadi=$1
dir=wadi-demo
version=$("$wadi" version)

if [ "$(cat "$dir/made-by" 2>/dev/null)" != "$version" ] || [ -z "$(find "$dir/made-by" -mtime -1 2>/dev/null)" ]; then
  rm -rf "$dir"
  "$wadi" --data "$dir" demo --events 200000 --seed 1
  echo "$version" >"$dir/made-by"
fi

ask() {
  printf '\n\033[1m%s\033[0m\n%s\n\n' "$1" "$2" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
  "$wadi" --data "$dir" query "$2"
}

ask '1. What is in the lake?' \
  'windows_events | summarize Events = count(), First = min(TimeGenerated), Last = max(TimeGenerated) by Channel | sort by Events'
ask '2. When do people log on?' \
  'SecurityEvent | where EventID == 4624 | summarize Logons = count() by bin(TimeGenerated, 6h) | render timechart'
ask '3. Who failed to log on most often?' \
  'SecurityEvent | where EventID == 4625 | summarize Failures = count(), Hosts = dcount(Computer), Last = max(TimeGenerated) by TargetAccount, IpAddress | top 5 by Failures'
ask '4. Who was made an administrator, and by whom?' \
  'SecurityEvent | where EventID == 4732 and TargetUserName == "Administrators" | project TimeGenerated, Computer, MemberSid, SubjectUserName | sort by TimeGenerated asc'
ask '5. Which requests did the web servers fail?' \
  'W3CIISLog | where scStatus startswith "5" | summarize Requests = count(), Slowest = max(TimeTaken) by csUriStem | top 5 by Requests'

cat <<END

The data lies in $PWD/$dir: Parquet files in an Iceberg table, open to any reader.
Try:
  $wadi --data $dir tables
  $wadi --data $dir query 'SecurityEvent | where EventID == 4688 | summarize count() by Process | top 10 by count_'
  $wadi --data $dir lake verify
END
