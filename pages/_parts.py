"""The files of a page, in memory: no other path is ever opened, whatever is asked for."""

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import final

import msgspec

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""What every answer says: nothing from elsewhere, nothing to elsewhere."""


@final
class Parts:
    """A page: its own files (`page/` of a package), and those that all pages share.

    Args:
        package: whose page it is; `page/index.html` is what is served at `/`, and the others
            are below `/static/`.
        texts: what is put into index.html: for `{"control": "none"}`, "none" for "{control}".

    Example:
        >>> from understudy.pages import Parts
        >>> parts = Parts("understudy.dashboard", {"control": "none"})
        >>> status, headers, body = parts.answer("/static/look.css")
        >>> status, headers["Content-Type"]
        (200, 'text/css; charset=utf-8')
        >>> parts.answer("/static/look.css", if_none_match=headers["ETag"])[0]
        304
        >>> parts.answer("/static/../secret") is None
        True
    """

    __module__ = "understudy.pages"

    def __init__(self, package: str, texts: Mapping[str, str] | None = None) -> None:
        self._parts = dict(_shared())
        page = files(package) / "page"
        for path, part in _below(page, "/static/"):
            if path in self._parts:
                raise ValueError(f"{package} has a file that all pages share: {path}")
            self._parts[path] = part
        index = self._parts.pop("/static/index.html").content
        for name, text in (texts or {}).items():
            index = index.replace(f"{{{name}}}".encode(), text.encode())
        self._parts["/"] = _part_of("index.html", index)

    def __repr__(self) -> str:
        return f"<Parts, {len(self._parts)} files>"

    def answer(
        self, path: str, if_none_match: str | None = None
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Return the status, the headers and the body for a path; None if there is no such file.

        Args:
            path: what is asked for, from the page's own root: `/`, `/static/main.js`.
            if_none_match: the header of this name: who has the file already is told so.

        Example:
            >>> from understudy.pages import Parts
            >>> parts = Parts("understudy.dashboard")
            >>> parts.answer("/static/themes.js")[0], parts.answer("/etc/passwd")
            (200, None)
        """
        part = self._parts.get(path)
        if part is None:
            return None
        headers = {**HEADERS, "Cache-Control": "no-cache", "ETag": part.tag}
        if if_none_match == part.tag:
            return 304, headers, b""
        return 200, {**headers, "Content-Type": part.kind}, part.content


class _Part(msgspec.Struct, frozen=True):
    content: bytes
    kind: str
    tag: str


def _shared() -> Iterator[tuple[str, _Part]]:
    return _below(files(__package__ or "understudy.pages") / "shared", "/static/")


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, _Part]]:
    """Yield the files of a folder, and of those in it, by path."""
    for file in folder.iterdir():
        if file.is_dir():
            yield from _below(file, f"{prefix}{file.name}/")
        else:
            yield prefix + file.name, _part_of(file.name, file.read_bytes())


def _part_of(name: str, content: bytes) -> _Part:
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    tag = hashlib.sha256(content).hexdigest()[:16]
    return _Part(content, f"{kind or 'text/plain'}; charset=utf-8", f'"{tag}"')
