"""`app`: the page as an ASGI application, if what serves it is installed."""

from collections.abc import Collection, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from understudy.configs import ExtraNotInstalledError

from ._board import Board
from ._control import Control, ControlDesk
from ._shared import SharedBoard

if TYPE_CHECKING:
    from ._web import Page

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""The names of a server that only this machine reaches."""


def app(
    board: Board | SharedBoard,
    *,
    token: str | None = None,
    control: Control | None = None,
    hosts: Collection[str] | None = None,
    files: Iterable[str] = (),
) -> "Page":
    """Make the dashboard of a board: an ASGI application, to serve or to mount.

    Args:
        board: what is shown. It belongs to the page from now on, and is filled by `Page.take`;
            who fills it from elsewhere gives a `SharedBoard`.
        token: whoever has it may give orders; nobody may without one.
        control: what carries out those orders.
        hosts: the names under which it may be asked for; all of them if left out. A page that
            only this machine is to see must name them (`["127.0.0.1", "localhost"]`): else any
            site could have its own name point here, and read along.
        files: the logs that fill the board: the page says to look there for what is not kept.

    Raises:
        ExtraNotInstalledError: Starlette is not installed, which the extra `dash` brings.
        ValueError: a token without a control, or an empty one.

    Example:
        >>> from understudy.dashboard import Board, app
        >>> app(Board(), hosts=["127.0.0.1", "localhost"])
        <Page, read-only>
    """
    if find_spec("starlette") is None:
        raise ExtraNotInstalledError("understudy.dashboard.app", "starlette")
    from ._web import Page

    shared = board if isinstance(board, SharedBoard) else SharedBoard(board)
    return Page(shared, ControlDesk(token, control), hosts, files)
