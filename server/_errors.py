"""What the storage raises: what a client did wrong, and that it is away itself."""

from collections.abc import Mapping

from understudy.configs import UnderstudyError


class ServerError(UnderstudyError):
    """Something a server was asked for cannot be done; the message says what to do.

    Example:
        >>> from understudy.configs import UnderstudyError
        >>> from understudy.server import ServerError
        >>> issubclass(ServerError, UnderstudyError)
        True
    """

    __module__ = "understudy.server"


class GapError(ServerError):
    """Lines were sent that do not go on where the kept ones end.

    Attributes:
        lengths: how much is kept, in bytes, of each path that did not fit.
    """

    def __init__(self, lengths: Mapping[str, int]) -> None:
        kept = ", ".join(f"{path} has {length} bytes" for path, length in lengths.items())
        super().__init__(f"lines are missing in between: {kept}. Send them from there on")
        self.lengths = dict(lengths)


class DiffersError(ServerError):
    """Lines were sent again, and are not the same as those that are kept.

    Attributes:
        path: the file of lines.
        place: the first byte that differs.
    """

    def __init__(self, path: str, place: int) -> None:
        super().__init__(
            f"{path} differs from what is kept, at byte {place}: it was changed, or another run"
            " has the same id. What was kept stays"
        )
        self.path = path
        self.place = place


class TooBigError(ServerError):
    """There is more of something than a run may have.

    Attributes:
        what: what there is too much of.
        limit: how much there may be.
    """

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what}: more than {limit:,}, the most a run may have here")
        self.what = what
        self.limit = limit


class UnfitError(ServerError, ValueError):
    """Something cannot be kept as it is: a name that no database takes, half a line."""


class AwayError(ServerError):
    """The database, or where files are kept, does not answer: later it may.

    Nothing that was asked for has happened, or else it may be asked for again: every change can
    be made twice, and is then there once.
    """


class MissingError(ServerError):
    """The content of a file is not there."""
