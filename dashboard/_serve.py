"""The command `understudy dashboard`: the page of logs, served to this machine."""

import argparse
import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from understudy.configs import ExtraNotInstalledError

from ._app import LOOPBACK, app
from ._board import Board
from ._follow import Follower
from ._shared import SharedBoard
from ._strangers import refuse_strangers
from ._terminal import tell_what_is_awaited

if TYPE_CHECKING:
    from ._web import Page

_LOOK = 0.1
"""Seconds between two looks at files that have nothing new."""
_RETRY = 2.0
"""Seconds until a file that could not be read is tried again."""


def add_dashboard(commands: Any) -> None:
    """Add the command to what argparse gathers.

    Example:
        >>> import argparse
        >>> parser = argparse.ArgumentParser()
        >>> add_dashboard(parser.add_subparsers())
        >>> parser.parse_args(["dashboard", "events.jsonl"]).port
        8765
    """
    text = "Show logs as a page, while they are written or afterwards."
    parser = commands.add_parser("dashboard", help=text, description=text)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a log; it may come later")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen: %(default)s")
    parser.add_argument("--port", default=8765, type=_port, help="%(default)s; 0 takes a free one")
    parser.add_argument("--open", action="store_true", help="open it in a browser")
    parser.set_defaults(run=_run)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number up to 65535, not {text!r}")
    return int(text)


def _run(asked: argparse.Namespace) -> int:
    return serve(asked.files, asked.host, asked.port, opens=asked.open)


def serve(files: Sequence[str], host: str, port: int, *, opens: bool = False) -> int:
    """Serve the page of logs until it is interrupted; return what the command exits with.

    Example:
        >>> serve(["events.jsonl"], "no such host", 0)
        1
    """
    if absent := [each for each in ("starlette", "uvicorn") if find_spec(each) is None]:
        raise ExtraNotInstalledError("understudy dashboard", *absent)
    for file in files:
        problem = _problem(file)
        if problem:
            return _fail(f"{file} cannot be read: {problem}")
    refuse_strangers(files)
    try:
        listening = _listen(host, port)
    except OSError as error:
        other = "--host" if isinstance(error, socket.gaierror) else "--port"
        reason = error.strerror or str(error)
        return _fail(f"cannot listen on {host}, port {port}: {reason}; {other} chooses another")
    address = _address(listening, host)
    page = app(
        SharedBoard(Board(clock=time.time)),
        hosts=LOOPBACK | {host} if _is_here(listening) else None,
        files=files,
    )
    print(f"understudy dashboard: {address} (Ctrl-C ends it)", flush=True)
    tell_what_is_awaited("understudy dashboard", files)
    if not _is_here(listening):
        print("Whoever reaches this machine can read along.", file=sys.stderr, flush=True)
    stop = threading.Event()
    following = threading.Thread(target=_follow, args=(files, page, stop), daemon=True)
    following.start()
    if opens:
        webbrowser.open(address)
    try:
        _serve(page, listening)
    finally:
        stop.set()
        following.join()
        listening.close()
    return 0


def _serve(page: "Page", listening: socket.socket) -> None:
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(page, log_level="warning", ws="none", timeout_graceful_shutdown=3)
    )
    try:
        server.run(sockets=[listening])  # after it ended in order, it raises KeyboardInterrupt anew
    finally:
        page.close()


def _follow(files: Sequence[str], page: "Page", stop: threading.Event) -> None:
    """Read the files as they grow, for as long as the page is served."""
    said = ""
    with Follower(files, siblings=True) as follower:
        while not stop.is_set():
            try:
                lines = follower.read()
            except OSError as error:
                if str(error) != said:
                    said = str(error)
                    print(f"understudy dashboard: {said}; trying again", file=sys.stderr)
                stop.wait(_RETRY)
                continue
            page.take(lines)
            if not lines:
                stop.wait(_LOOK)


def _problem(file: str) -> str:
    """Tell why a file cannot be read; nothing is wrong with one that is not there yet."""
    try:
        with open(file, "rb", opener=_open):
            return ""
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe waits for nobody


def _listen(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, place = found[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen(128)  # who comes before the server does waits for it
    except OSError:
        listening.close()
        raise
    return listening


def _is_here(listening: socket.socket) -> bool:
    name: str = listening.getsockname()[0]
    return name == "::1" or name.startswith("127.")


def _address(listening: socket.socket, host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}/"


def _fail(text: str) -> int:
    print(f"understudy dashboard: {text}", file=sys.stderr)
    return 1
