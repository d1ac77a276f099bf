"""The server that an application runs in: whether it is about to stop.

uvicorn waits for open connections before it tells an application that it shuts down, so that a
stream that waits to be told would keep the service from ever stopping.  It can be seen, though:
the server is a local variable of the task that serves.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, final


@final
class Host:
    """The uvicorn that serves us, once it is found; with another server it never is.

    Example:
        >>> Host().is_stopping()
        False
    """

    def __init__(self) -> None:
        self._servers: list[Any] = []
        self._searched: set[int] = set()

    def find(self) -> None:
        """Look for it, from the loop that it serves on."""
        loop = id(asyncio.get_running_loop())
        uvicorn = sys.modules.get("uvicorn.server")
        if uvicorn is None or loop in self._searched:
            return
        self._searched.add(loop)
        for task in asyncio.all_tasks():
            for frame in _frames(task.get_coro()):
                server = frame.f_locals.get("self")
                if isinstance(server, uvicorn.Server) and server not in self._servers:
                    self._servers.append(server)

    def is_stopping(self) -> bool:
        """Tell whether it was asked to stop."""
        return any(server.should_exit for server in self._servers)

    def cut(self, client: Any) -> None:
        """Cut the connection of a client that does not read: the server would wait for it."""
        for server in self._servers:
            for connection in [*server.server_state.connections]:
                if client is not None and tuple(connection.client or ()) == tuple(client):
                    with suppress(Exception):  # whatever is wrong with it, it is to go
                        connection.transport.abort()


def _frames(awaited: Any) -> Iterator[Any]:
    """Yield the frames of a coroutine, and of what it waits for, and so on."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None)
        if frame is not None:
            yield frame
        awaited = getattr(awaited, "cr_await", None)
