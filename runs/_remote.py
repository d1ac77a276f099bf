"""Where a run is sent to: the address of a server, and the token that it lets us in with."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import SplitResult, urlsplit

import msgspec

from ._errors import RunArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN: Final = "UNDERSTUDY_TOKEN"
REMOTE: Final = "UNDERSTUDY_REMOTE"
TOKENS: Final = "understudy/tokens.json"
"""Where tokens are kept by address, below the folder of a user's settings."""

_TOKEN: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"[A-Za-z0-9._:%-]+")
_HANDED: Final = "token="
"""What stands before the token in the address that a server prints when it starts first."""


class Remote:
    """A server.

    Args:
        address: `http://host:8780` or `https://host`, and maybe a path behind it. One that ends in
            `#token=...`, as a server prints it, brings the token along.
        token: what it lets us in with; else `UNDERSTUDY_TOKEN`, else what the user's tokens.json
            has for this address.
        is_named: whether the user says that it is this server. One that only a folder names gets
            no token but what tokens.json has for it: the folder may be somebody else's.

    Attributes:
        address: without the token, and without a slash at the end.
        token: None if there is none.
        is_handed: whether it was handed in here alone: another process would not find it.

    Raises:
        RunArgumentError: that is no address.

    Example:
        >>> from understudy.runs._remote import Remote
        >>> Remote("https://runs.example.com/", token="us_secret")
        <https://runs.example.com>
        >>> Remote("http://localhost:8780/#token=us_secret").address
        'http://localhost:8780'
    """

    def __init__(self, address: str, token: str | None = None, *, is_named: bool = True) -> None:
        parts = _parts(address)
        fragment = parts.fragment.lstrip("/")
        brought = fragment.removeprefix(_HANDED) if fragment.startswith(_HANDED) else None
        self.address: str = parts._replace(
            netloc=parts.netloc.lower(), path=parts.path.rstrip("/"), fragment=""
        ).geturl()
        self.parts: SplitResult = urlsplit(self.address)
        self.is_named: bool = is_named
        said = os.environ.get(TOKEN) if is_named else None
        handed = _clean(token or brought)
        elsewhere = _clean(said or _kept(self.address))
        self.token: str | None = handed if token or brought else elsewhere
        self.is_handed: bool = handed not in (None, elsewhere)

    def __repr__(self) -> str:
        return f"<{self.address}>"


def tokens_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where a user keeps tokens by address."""
    base = environment.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / TOKENS


def _parts(address: Any) -> SplitResult:
    if not isinstance(address, str):
        _refuse(address, "it is a text")
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError as error:
        _refuse(address, str(error))
    if parts.scheme not in ("http", "https"):
        _refuse(address, "it begins with http:// or https://")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or port == 0:
        _refuse(address, "there is no host in it")
    if parts.username is not None or parts.password is not None:
        raise RunArgumentError(
            f"remote='{parts.scheme}://...@{parts.hostname}' has a name or a password in it, and"
            " would be kept with the run: give a token by token=, or by UNDERSTUDY_TOKEN"
        )
    if parts.query:
        _refuse(address, "there is a ? in it")
    return parts


def _refuse(address: Any, why: str) -> NoReturn:
    raise RunArgumentError(
        f"remote={address!r} is no address of a server, such as 'http://localhost:8780': {why}"
    )


def _clean(token: object) -> str | None:
    """Return a token that can be sent; one that cannot is none."""
    found = token.strip() if isinstance(token, str) else ""
    return found if _TOKEN.fullmatch(found) else None


def _kept(address: str) -> object:
    """Return the token that the user keeps for an address."""
    try:
        kept = msgspec.json.decode(tokens_file().read_bytes(), type=dict[str, str])
    except (OSError, RuntimeError, msgspec.MsgspecError, UnicodeError):
        return None
    return next((kept[each] for each in kept if each.rstrip("/").lower() == address.lower()), None)
