"""`app`: a server from its settings."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.configs import ExtraNotInstalledError

from ._blobs import Blobs
from ._settings import ServerSettings
from ._storage import Storage

if TYPE_CHECKING:
    from ._app import Server, Started


def app(
    settings: ServerSettings | None = None,
    *,
    started: "Started | None" = None,
    clock: Callable[[], float] = time.time,
) -> "Server":
    """Make a server: an ASGI application, to serve or to mount.

    Args:
        settings: how it is set up; the usual, if left out. `host` and `port` are up to who serves.
        started: called when it is there; the first time with a token, which is told nowhere else.
        clock: tells the time, in seconds since 1970.

    Raises:
        ExtraNotInstalledError: Starlette is not installed, which the extra `server` brings.

    Example:
        >>> from pathlib import Path
        >>> from understudy.server import ServerSettings, app
        >>> type(app(ServerSettings(data=Path("runs-of-the-team")))).__name__
        'Server'
    """
    if find_spec("starlette") is None:
        raise ExtraNotInstalledError("understudy.server.app", "starlette")
    from ._app import Server
    from ._page import Page

    settings = settings or ServerSettings()
    return Server(
        storage_of(settings),
        blobs_of(settings),
        settings.limits,
        clock=clock,
        started=started or (lambda token: None),
        page=Page(),
    )


def storage_of(settings: ServerSettings) -> Storage:
    """Return where a server keeps runs."""
    if settings.database:
        from ._postgres import PostgresStorage

        return PostgresStorage(settings.database)
    from ._sqlite import SqliteStorage

    return SqliteStorage(Path(settings.data) / "server.sqlite")


def blobs_of(settings: ServerSettings) -> Blobs:
    """Return where a server keeps the contents of files."""
    if settings.files is not None and settings.files.startswith("s3://"):
        from ._s3 import S3Blobs

        return S3Blobs(settings.files)
    from ._disk import DiskBlobs

    return DiskBlobs(settings.files or Path(settings.data) / "files")
