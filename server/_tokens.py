"""Tokens: who may ask for what. What is kept of one is its checksum."""

import secrets
from hashlib import sha256
from typing import Final, Literal, final

from starlette.requests import Request

from ._answers import Refused, busy
from ._paths import name_at
from ._rates import Rates
from ._rows import Token
from ._storage import Storage

Scope = Literal["read", "write"]
ALL: Final = "*"
"""The project of a token that is for all of them."""


def new_token(name: str, project: str, scope: Scope, now: float) -> tuple[str, Token]:
    """Make a token; return it, which nobody can see again, and what is kept of it.

    Raises:
        Refused: a name is none.

    Example:
        >>> from understudy.server._tokens import new_token
        >>> text, kept = new_token("laptop", "vision", "write", now=0.0)
        >>> text[:3], len(text), kept.project, text in repr(kept)
        ('us_', 46, 'vision', False)
    """
    name_at("token", name)
    if project != ALL:
        name_at("project", project)
    text = f"us_{secrets.token_urlsafe(32)}"
    kept = Token(
        id=secrets.token_hex(4),
        name=name,
        project=project,
        scope=scope,
        sha256=_checksum(text),
        created=now,
    )
    return text, kept


@final
class Door:
    """Lets in who has a token for what is asked.

    Args:
        storage: has the tokens.
        rates: how many requests each token may make.
        failures: how many wrong tokens each address may try.
    """

    def __init__(self, storage: Storage, rates: Rates, failures: Rates) -> None:
        self._storage, self._rates, self._failures = storage, rates, failures

    async def admit(self, request: Request) -> Token:
        """Return the token of a request.

        Raises:
            Refused: there is none, or it asked too often.
        """
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        token = None
        if kind.lower() == "bearer" and given.strip():
            token = await self._storage.find_token(_checksum(given.strip()))
        if token is None:
            wait = self._failures.take(request.client.host if request.client else "")
            if wait:
                raise busy("too many requests without a token that is known: wait a little", wait)
            raise Refused(
                401,
                "token",
                "a token is needed that this server knows: Authorization: Bearer us_...;"
                " `understudy server token add` makes one",
                {"WWW-Authenticate": "Bearer"},
            )
        if wait := self._rates.take(token.id):
            raise busy("too many requests with this token: wait a little", wait)
        return token


def check_right(token: Token, project: str | None, scope: Scope) -> None:
    """See whether a token is for what is asked.

    Raises:
        Refused: it is not.
    """
    if project is not None and token.project not in (ALL, project):
        raise Refused(403, "project", f"this token is for the project {token.project!r} alone")
    if scope == "write" and token.scope != "write":
        raise Refused(403, "scope", "this token may only read: writing needs another")


def _checksum(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
