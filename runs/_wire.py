"""One connection to a server: every request ends in time, whatever the other side does.

http.client leaves alone what the environment says of proxies, and has a time limit for each piece
that arrives, not for all of them: a server that trickles could hold us for ever. Both is done here.
"""

from __future__ import annotations

import io
import socket
from base64 import b64encode
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from math import isnan
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._remote import Remote

SECONDS: Final = 30.0
"""How long a request may take in all, unless it is told otherwise."""
CONNECTING: Final = 10.0

_LONGEST: Final = 64 << 20
"""No answer is longer: one that lists the files of a run with everything a server allows."""
_LATER: Final = (408, 425, 429)
_MOST_WAITED: Final = 300.0


class Unreachable(Exception):
    """The server did not do it, and may if it is asked again.

    Attributes:
        wait: how many seconds it wants to be left alone, if it says so.
    """

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Refused(Exception):
    """The server will not do it, however often it is asked.

    Attributes:
        status: the status of HTTP.
        error: the reason, in a word.
        told: all that it says.
    """

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        super().__init__(f"{told.get('message') or told.get('error') or 'refused'} ({status})")
        self.status = status
        self.error = str(told.get("error", ""))
        self.told = told


class Wire:
    """A connection that is kept open, and opened again when it broke.

    Args:
        remote: the server.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._until = 0.0
        self._connection: HTTPConnection | None = None
        self._is_cut = False
        self._target = remote.parts.path
        self._headers = {"User-Agent": "understudy", "Accept": "application/json"}
        if remote.token is not None:
            self._headers["Authorization"] = f"Bearer {remote.token}"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> dict[str, Any]:
        """Ask for something, and return what is answered.

        Args:
            method: GET, POST or PUT.
            path: behind the address of the server.
            body: what is sent.
            headers: what is said of it.
            seconds: how long it may take.

        Raises:
            Unreachable: it may be asked again.
            Refused: that would be of no use.
        """
        self._until = monotonic() + seconds
        is_used = self._connection is not None
        try:
            try:
                status, found, data = self._exchange(method, path, body, headers)
            except (ConnectionError, HTTPException):
                # a server may close what was idle, just as we send: that is no failure. All that
                # is ever asked for may be asked for twice.
                if not is_used or self._is_cut:
                    raise
                self.close()
                status, found, data = self._exchange(method, path, body, headers)
        except (OSError, HTTPException, ValueError, EOFError) as error:
            self.close()
            told = str(error) or type(error).__name__
            raise Unreachable(f"{self._remote.address} cannot be reached: {told}") from error
        except BaseException:
            self.close()
            raise
        return _answer(self._remote.address, status, found, data)

    def cut(self) -> None:
        """End what goes on from another thread: it fails at once, and so does all that follows."""
        self._is_cut = True
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def left(self) -> float:
        """Return how many seconds the request has left.

        Raises:
            TimeoutError: it has none.
        """
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("it did not answer in time")
        return left

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> tuple[int, HTTPResponse, bytes]:
        connection = self._opened()
        if self._is_cut:
            raise ConnectionAbortedError("given up")
        more = {**self._headers, **(headers or {})}
        if body is not None:
            more["Content-Length"] = str(len(body))
        with suppress(BrokenPipeError, ConnectionResetError):
            # who refuses a body that is too long may hang up before it has come; what it says
            # of that is read nevertheless
            connection.request(method, self._target + path, _pieces(body), more)
        response = connection.getresponse()
        data = response.read(_LONGEST)
        if response.will_close or not response.isclosed():
            self.close()
        return response.status, response, data

    def _opened(self) -> HTTPConnection:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        if connection.sock is None:
            connection.timeout = min(CONNECTING, self.left())
            connection.connect()
            sock = cast("socket.socket", connection.sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sock = cast("Any", _InTime(sock, self))
        return connection

    def _connect(self) -> HTTPConnection:
        parts = self._remote.parts
        host = cast("str", parts.hostname)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
        if not proxy:
            return kind(host, parts.port)
        found = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if found.scheme != "http" or found.hostname is None:
            raise OSError(f"a proxy is http://host:port, and the environment says {found.scheme}:")
        said: dict[str, str] = {}
        if found.username is not None:
            secret = f"{unquote(found.username)}:{unquote(found.password or '')}"
            said["Proxy-Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
        connection = kind(found.hostname, found.port or 80)
        if parts.scheme == "https":
            connection.set_tunnel(host, parts.port, said)
        else:
            self._target = self._remote.address
            self._headers.update(said)
        return connection


class _InTime:
    """A socket that looks at the time left before it waits; http.client needs no more of it."""

    def __init__(self, sock: socket.socket, wire: Wire) -> None:
        self._sock = sock
        self._wire = wire

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._wire.left())
        self._sock.sendall(data)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._sock, self._wire))

    def shutdown(self, how: int) -> None:
        self._sock.shutdown(how)

    def close(self) -> None:
        self._sock.close()


class _Reading(io.RawIOBase):
    """What comes out of such a socket; it stays readable until this is closed as well."""

    def __init__(self, sock: socket.socket, wire: Wire) -> None:
        self._sock = sock
        self._wire = wire
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._wire.left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _pieces(body: bytes | None) -> Iterable[bytes] | None:
    """Yield a body piece by piece: no call sends all of it, so that `cut` is noticed."""
    if body is None:
        return None
    view = memoryview(body)
    return (bytes(view[start : start + 65_536]) for start in range(0, len(view), 65_536))


def _answer(address: str, status: int, response: HTTPResponse, data: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        told = None
    if 200 <= status < 300 and isinstance(told, dict):
        return cast("dict[str, Any]", told)
    is_ours = isinstance(told, dict) and isinstance(cast("Any", told).get("error"), str)
    why = f"{address} answers {status}"
    if status in _LATER or status >= 500:
        raise Unreachable(
            f"{why}: {cast('Any', told).get('message')}" if is_ours else why, _wait(response)
        )
    if is_ours:
        raise Refused(status, cast("dict[str, Any]", told))
    if status == 413:  # a proxy on the way has limits of its own
        raise Refused(status, {"error": "too_big", "message": why})
    # A proxy, a page of a hotel, another program at that address: it is not for them to say that
    # this is of no use for ever.
    raise Unreachable(f"{why}, and not as a server of runs does: is that its address?")


def _wait(response: HTTPResponse) -> float | None:
    """Return how many seconds to wait, as Retry-After says: a number, or a date."""
    said = response.getheader("Retry-After", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(said).timestamp() - time()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(0.0, seconds), _MOST_WAITED) if not isnan(seconds) else None
