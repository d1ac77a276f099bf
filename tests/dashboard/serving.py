"""A page on a real server, in a thread of the test's own."""

import socket
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import uvicorn

from understudy.dashboard import Board, app
from understudy.events import Event


class Served:
    """A page that is served.

    Attributes:
        board: what it shows.
        address: where it is.
    """

    def __init__(self, **given: Any) -> None:
        self.board = Board()
        self.page: Any = app(self.board, **given)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        config = uvicorn.Config(self.page, log_level="error", ws="none")
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.server.run, args=([self.listening],))
        self._thread.start()
        self._clients: list[socket.socket] = []

    def take(self, lines: Iterable[bytes | Event]) -> None:
        """Have the board take lines of a log, or events."""
        self.page.take(lines)

    def document(self) -> dict[str, Any]:
        """Return what the board has by now."""
        found: dict[str, Any] = self.page._board.document()
        return found

    def stop(self) -> None:
        """Stop it in order; the clients stay until it has."""
        self.server.should_exit = True
        self._thread.join(20)
        for client in self._clients:
            client.close()
        self.listening.close()
        assert not self._thread.is_alive()

    def connect(self, headers: str = "", path: str = "/api/stream") -> socket.socket:
        """Ask for something, and return the connection; nothing of the answer is read."""
        client = socket.socket()
        self._clients.append(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())
        return client


@contextmanager
def served(lines: Iterable[bytes | Event] = (), **given: Any) -> Generator[Served]:
    """Serve a page of some lines, for as long as the block lasts."""
    it = Served(**given)
    try:
        it.take(lines)
        yield it
    finally:
        it.stop()
