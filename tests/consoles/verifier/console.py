"""A console that believes the assertion and nothing else. Arguments: port, address of the keys, seconds between fetches."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stagedoor_assertion import Refused, Verifier

PORT, KEYS_URL, FETCH_SECONDS_MIN = sys.argv[1:]
VERIFIER = Verifier(KEYS_URL, site="console", issuer="Stagedoor", fetch_seconds_min=float(FETCH_SECONDS_MIN))


class Console(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/ready":
            return self.answer(200, {})
        values = self.headers.get_all("X-Stagedoor-Assertion")
        try:
            self.answer(200, {"caller": VERIFIER.caller(values), "assertion": values[0]})
        except Refused as refused:
            self.answer(401, {"refused": str(refused)})

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(PORT)), Console).serve_forever()
