"""The commands that this package offers to `understudy`: server, and server token."""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ._errors import ServerError
from ._making import storage_of
from ._serve import serve
from ._settings import ServerSettings
from ._storage import Storage

T = TypeVar("T")


def add_commands(commands: Any) -> None:
    """Add the command `server` to what argparse gathers.

    Args:
        commands: what `add_subparsers` returned.

    Example:
        >>> import argparse
        >>> from understudy.server import add_commands
        >>> parser = argparse.ArgumentParser()
        >>> add_commands(parser.add_subparsers())
        >>> parser.parse_args(["server", "--port", "0"]).port
        '0'
    """
    text = "Keep the runs of a team, and show them."
    parser = commands.add_parser("server", help=text, description=text)
    _add_places(parser, None)
    parser.add_argument("--host", help="where to listen: 127.0.0.1")
    parser.add_argument("--port", help="8780; 0 takes a free one")
    parser.add_argument("--files", metavar="WHERE", help="a folder, or s3://bucket/prefix")
    parser.set_defaults(run=_run_server)
    _add_tokens(parser.add_subparsers(metavar="token"))


def _add_places(parser: argparse.ArgumentParser, default: Any) -> None:
    """Add where the server keeps things; what is said before `token` holds for it too."""
    folder = "the folder of the server: understudy-server"
    parser.add_argument("--data", metavar="DIR", default=default, help=folder)
    parser.add_argument(
        "--database", metavar="URL", default=default, help="a PostgreSQL database: postgresql://..."
    )


def _add_tokens(commands: Any) -> None:
    token = commands.add_parser("token", help="who may ask the server for what")
    orders = token.add_subparsers(metavar="ORDER", required=True)
    add = orders.add_parser("add", help="make a token, and show it once")
    add.add_argument("name", help="whose it is, or what for")
    add.add_argument("--project", default="*", help="the project it is for; all, if left out")
    add.add_argument("--scope", choices=("read", "write"), default="write", help="%(default)s")
    add.set_defaults(run=_run_add)
    listed = orders.add_parser("ls", help="show the tokens, but for what they are")
    listed.set_defaults(run=_run_list)
    remove = orders.add_parser("rm", help="take a token back: from now on nobody is let in by it")
    remove.add_argument("id", help="its id, as `ls` shows it")
    remove.set_defaults(run=_run_remove)
    for each in (add, listed, remove):
        _add_places(each, argparse.SUPPRESS)
        each.add_argument("--json", action="store_true", help="as JSON")


def _settings(asked: argparse.Namespace) -> ServerSettings:
    names = ("host", "port", "data", "database", "files")
    return ServerSettings.found({name: getattr(asked, name, None) for name in names})


def _run_server(asked: argparse.Namespace) -> int:
    serve(_settings(asked))
    return 0


def _run_add(asked: argparse.Namespace) -> int:
    from ._answers import Refused
    from ._tokens import new_token

    try:
        text, token = new_token(asked.name, asked.project, asked.scope, time.time())
    except Refused as refused:
        raise ServerError(str(refused)) from None
    _with_storage(asked, lambda storage: storage.add_token(token))
    if asked.json:
        print(json.dumps({"id": token.id, "token": text}))
    else:
        print(text)
    return 0


def _run_list(asked: argparse.Namespace) -> int:
    tokens = _with_storage(asked, lambda storage: storage.list_tokens())
    for token in tokens:
        created = time.strftime("%Y-%m-%d %H:%M", time.localtime(token.created))
        told = {"id": token.id, "name": token.name, "project": token.project, "scope": token.scope}
        line = f"{token.id}  {created}  {token.scope:5}  {token.project}  {token.name}"
        print(json.dumps({**told, "created": token.created}) if asked.json else line)
    return 0


def _run_remove(asked: argparse.Namespace) -> int:
    if not _with_storage(asked, lambda storage: storage.revoke_token(asked.id)):
        raise ServerError(
            f"there is no token {asked.id!r}: `understudy server token ls` shows them"
        )
    if asked.json:
        print(json.dumps({"removed": asked.id}))
    return 0


def _with_storage(asked: argparse.Namespace, what: Callable[[Storage], Awaitable[T]]) -> T:
    settings = _settings(asked)
    place = settings.data.absolute()
    if not settings.database and not place.exists():
        raise ServerError(
            f"no server has its data in {place}: --data DIR names the folder that"
            " `understudy server` made"
        )

    async def done() -> T:
        storage = storage_of(settings)
        await storage.open()
        try:
            return await what(storage)
        finally:
            await storage.close()

    return asyncio.run(done())
