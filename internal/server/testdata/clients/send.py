"""Sends rows with Azure Monitor's own client, unchanged: python send.py URL TOKEN RULE STREAM ROWS CERT.

Prints what the server said to a row with a column that it doesn't know.
"""

import sys
import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.monitor.ingestion import LogsIngestionClient


class Static:
    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **options):
        return AccessToken(self.token, int(time.time()) + 3600)


url, token, rule, stream, rows, cert = sys.argv[1:]
client = LogsIngestionClient(endpoint=url, credential=Static(token), connection_verify=cert)
logs = [
    {"TimeGenerated": "2026-01-01T00:00:00Z", "client": 2, "n": n, "note": "é" * 300}
    for n in range(int(rows))
]
client.upload(rule_id=rule, stream_name=stream, logs=logs)
try:
    client.upload(rule_id=rule, stream_name=stream, logs=[{"n": 1, "colour": "red"}])
except HttpResponseError as e:
    print(e.status_code, e.message)
