"""A real server that speaks S3: rclone's, in front of a folder.

It answers a request for some bytes with 200, where S3 says 206 and obstore insists on it; what is
between here and there mends just that.
"""

import http.client
import http.server
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.server.waiting import free_port, wait_until

KEY, SECRET = "understudy", "a-secret-of-the-tests"


class S3Server:
    """What a test may know of it.

    Attributes:
        folder: where it keeps things: a folder in it is a bucket.
        options: what `S3Blobs` takes to get there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bucket").mkdir()
        self._port = free_port()
        self._log = folder.with_suffix(".log").open("wb")
        program = shutil.which("rclone", path=str(Path(sys.executable).parent)) or "rclone"
        address = f"127.0.0.1:{self._port}"
        self._process = subprocess.Popen(
            [
                *(program, "serve", "s3", "--config", "", "--addr", address),
                *("--auth-key", f"{KEY},{SECRET}", str(folder)),
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self._mending = _mending(self._port)
        self._thread = threading.Thread(target=self._mending.serve_forever)
        self._thread.start()
        wait_until(self._is_up, "rclone serves S3")
        self.options = {
            "endpoint": f"http://127.0.0.1:{self._mending.server_address[1]}",
            "region": "us-east-1",
            "access_key_id": KEY,
            "secret_access_key": SECRET,
        }

    def kept(self) -> list[str]:
        """Return all files that are there, also those that are on their way."""
        return sorted(str(path) for path in self.folder.rglob("*") if path.is_file())

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._mending.shutdown()
        self._thread.join(20)
        self._mending.server_close()
        self._log.close()

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.folder.with_suffix(".log").read_text()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._port)) == 0


@contextmanager
def s3_server(folder: Path) -> Generator[S3Server]:
    """Serve S3, for as long as the block lasts."""
    server = S3Server(folder)
    try:
        yield server
    finally:
        server.stop()


def _mending(port: int) -> http.server.ThreadingHTTPServer:
    """Return what passes everything on to a port."""

    class Mending(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behind = http.client.HTTPConnection("127.0.0.1", port)
            try:
                behind.putrequest(
                    self.command, self.path, skip_host=True, skip_accept_encoding=True
                )
                for name, value in self.headers.items():
                    behind.putheader(name, value)
                behind.endheaders(body)
                answer = behind.getresponse()
                is_part = answer.status == 200 and answer.headers["Content-Range"]
                self.send_response_only(206 if is_part else answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"transfer-encoding", "connection"}:
                        self.send_header(name, value)
                if answer.length is None:  # then it ends with the connection
                    self.send_header("Connection", "close")
                self.end_headers()
                while data := answer.read(256 * 1024):
                    self.wfile.write(data)
            except OSError:
                self.close_connection = True
            finally:
                behind.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that was ended

    return Server(("127.0.0.1", 0), Mending)
