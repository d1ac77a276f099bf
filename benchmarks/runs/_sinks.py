"""Servers that a run is sent to, in a process of their own: one that keeps, and those that do not.

python -m benchmarks.runs._sinks well     prints the port that it listens at
"""

import socket
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_ACCEPTED = b'{"lengths": {}, "documents": {}, "files": []}'


class _Well(BaseHTTPRequestHandler):
    """Takes everything, and looks at nothing: what is measured is the sender."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def handle(self) -> None:
        with suppress(OSError):  # who measures is gone without a word
            super().handle()

    def log_message(self, format: str, *args: Any) -> None: ...

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(_ACCEPTED)))
        self.end_headers()
        self.wfile.write(_ACCEPTED)


class _Slow(_Well):
    def _answer(self) -> None:
        time.sleep(2)
        super()._answer()


class _Busy(_Well):
    def _answer(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _hang(connections: socket.socket) -> None:
    kept: list[socket.socket] = []
    while True:
        kept.append(connections.accept()[0])


def main(how: str) -> None:
    """Listen until the process is ended."""
    if how == "hanging":
        listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=_hang, args=[listening], daemon=True).start()
        port = listening.getsockname()[1]
    else:
        kinds = {"well": _Well, "slow": _Slow, "busy": _Busy}
        server = ThreadingHTTPServer(("127.0.0.1", 0), kinds[how])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
    print(port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
