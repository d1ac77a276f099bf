"""What may be changed from the page: nothing, unless whoever starts it gives a token."""

import secrets
from typing import TYPE_CHECKING, Literal, Protocol, final

import msgspec

if TYPE_CHECKING:
    from starlette.requests import Request

Action = Literal["disable", "enable", "pin", "unpin"]
LONGEST = 4096
"""No request is longer than this."""


class Control(Protocol):
    """What carries out what is asked for on the page, and tells of it as an event.

    Each raises LookupError for an experiment or a config that is not there, ValueError for what
    cannot be done; both say so in words for whoever asked.

    Example:
        >>> from understudy.dashboard import Board, Control, app
        >>> class Desk:
        ...     def disable(self, experiment: str) -> None: print("disabled", experiment)
        ...     def enable(self, experiment: str) -> None: print("enabled", experiment)
        ...     def pin(self, experiment: str, config: str) -> None: print("pinned", config)
        ...     def unpin(self, experiment: str) -> None: print("unpinned", experiment)
        >>> control: Control = Desk()
        >>> app(Board(), token="a long, random one", control=control)
        <Page, under control>
    """

    def disable(self, experiment: str) -> None:
        """Have an experiment play its first config only."""
        ...

    def enable(self, experiment: str) -> None:
        """Have it play as before."""
        ...

    def pin(self, experiment: str, config: str) -> None:
        """Have every call of an experiment answered by the config of this id."""
        ...

    def unpin(self, experiment: str) -> None:
        """Have its strategy choose again."""
        ...


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    action: Action
    experiment: str
    config: str | None = None


@final
class ControlDesk:
    """Carries out orders of those who have the token.

    Example:
        >>> ControlDesk(None, None).is_open
        False
    """

    def __init__(self, token: str | None, control: Control | None) -> None:
        if token is not None and not token:
            raise ValueError("token= is empty: anybody would have it; give a long, random one")
        if token is not None and control is None:
            raise ValueError("token= is of no use without control=, which carries out the orders")
        self._token, self._control = token, control

    @property
    def is_open(self) -> bool:
        """Whether there is anything to be ordered at all."""
        return self._token is not None

    async def take(self, request: "Request") -> tuple[int, str]:
        """Carry out an order, and answer with a status of HTTP and what became of it."""
        if self._token is None or self._control is None:
            return 404, "there is nothing here"
        if request.method != "POST":
            return 405, "orders are given by POST"
        if not _is_same_origin(request):
            return 403, "orders are taken from the page itself, not from another site"
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        matches = secrets.compare_digest(given.strip().encode(), self._token.encode())
        if kind.lower() != "bearer" or not matches:
            return 401, "that is not the token"
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "orders are JSON (content-type: application/json)"
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                return 413, f"no order is longer than {LONGEST} bytes"
        try:
            order = msgspec.json.decode(body, type=_Order)
            self._carry_out(self._control, order)
        except LookupError as error:
            return 404, str(error.args[0]) if error.args else "no such experiment or config"
        except ValueError as error:  # also what msgspec says of a body that is none
            return 400, str(error)
        return 200, "done"

    @staticmethod
    def _carry_out(control: Control, order: _Order) -> None:
        if order.action == "pin":
            if order.config is None:
                raise ValueError("pin needs the id of a config: config")
            control.pin(order.experiment, order.config)
        else:
            {
                "disable": control.disable,
                "enable": control.enable,
                "unpin": control.unpin,
            }[order.action](order.experiment)


def _is_same_origin(request: "Request") -> bool:
    """Tell whether a browser says that the page itself asks; what is no browser says nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")
