"""Serving until somebody says stop: then what goes on is ended in order."""

import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from shlex import quote
from typing import TYPE_CHECKING, Final

from understudy.configs import ExtraNotInstalledError

from ._errors import ServerError
from ._limits import Limits
from ._making import app
from ._settings import ServerSettings

if TYPE_CHECKING:
    import uvicorn

    from ._app import Server

_DRAIN: Final = 20
"""Seconds that requests have to end once the server stops."""


def serve(
    settings: ServerSettings, *, say: Callable[[str], None] = lambda text: print(text, flush=True)
) -> None:
    """Serve until the process is told to stop.

    Args:
        settings: how it is set up.
        say: told the address, once it is there.

    Raises:
        ServerError: it cannot listen there, or its database is not there.
    """
    if absent := [each for each in ("starlette", "uvicorn") if find_spec(each) is None]:
        raise ExtraNotInstalledError("understudy server", *absent)
    listening = _listen(settings.host, settings.port)
    address = _address(listening, settings.host)

    def started(token: str | None) -> None:
        say(f"understudy server: {address}{f'#token={token}' if token else ''} (Ctrl-C ends it)")
        if token:
            say("That token may do everything, and is told only now; further ones:")
            say(f"understudy server{_elsewhere(settings)} token add NAME --project PROJECT")
        if not address.startswith(("http://127.", "http://localhost:", "http://[::1]")):
            print("Put TLS in front of it: see docs/server.md", file=sys.stderr, flush=True)

    application = app(settings, started=started)
    try:
        server_of(application, settings.limits).run(sockets=[listening])
    except SystemExit:
        raise application.failure or ServerError("the server could not start") from None
    finally:
        listening.close()


def server_of(application: "Server", limits: Limits) -> "uvicorn.Server":
    """Return what serves an application, as it is meant to be served."""
    import uvicorn

    from ._patience import patient

    config = uvicorn.Config(
        application,
        http=patient(limits.stall),
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN,
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, place = found[0]
        return socket.create_server(place[:2], family=family, backlog=512)
    except OSError as error:
        other = "--host" if isinstance(error, socket.gaierror) else "--port"
        why = error.strerror or str(error)
        raise ServerError(
            f"cannot listen on {host}, port {port}: {why}; {other} chooses another"
        ) from error


def _elsewhere(settings: ServerSettings) -> str:
    """Return what a command has to say to find the same tokens; a database may have a password."""
    if settings.database:
        return " --database URL"
    return "" if settings.data == ServerSettings().data else f" --data {quote(str(settings.data))}"


def _address(listening: socket.socket, host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}/"
