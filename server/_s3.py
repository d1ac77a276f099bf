"""Contents of files, in any place that speaks S3, by obstore."""

from collections.abc import AsyncIterable, AsyncIterator, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ._blobs import Blob, check_range
from ._errors import AwayError, MissingError, ServerError
from ._keys import check_key

_PIECE = 8 * 1024 * 1024
"""How many bytes are asked for, or sent, in one request: S3 wants parts of at least 5 MiB."""
_AT_ONCE = 4


class S3Blobs:
    """Keeps contents in a bucket; its methods are told by `Blobs`.

    Args:
        url: `s3://bucket/prefix`. Who we are, the region and another endpoint come from the
            environment, as for other programs (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
            `AWS_REGION`, `AWS_ENDPOINT_URL`), or stand behind a `?`: `endpoint`, `region`.
        options: the same, and all else that obstore's `S3Store` takes.
    """

    def __init__(self, url: str, **options: Any) -> None:
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError as error:
            raise ServerError(
                "S3 needs obstore, which is not installed: pip install 'understudy[server-s3]'"
            ) from error
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ServerError(f"{url!r} is no place in S3: write s3://bucket or s3://bucket/prefix")
        given: dict[str, Any] = {**dict(parse_qsl(parts.query)), **options}
        if known := {*given} - {"endpoint", "region", *options}:
            raise ServerError(f"{url!r}: {min(known)!r} is unknown, it may say endpoint and region")
        self._url = url
        self._library: Any = obstore
        # A request is of one piece: it ends, or is tried again, long before a client gives up.
        ways: dict[str, Any] = {
            "client_options": {"timeout": "60s", "connect_timeout": "5s", "allow_http": True},
            "retry_config": {"max_retries": 3, "retry_timeout": timedelta(seconds=15)},
            **given,
        }
        self._store = S3Store(parts.netloc, prefix=parts.path.strip("/") or None, **ways)

    async def open(self) -> None:
        """Look whether the bucket can be reached."""
        with self._errors("0/"):
            async for _ in self._library.list(self._store, "0/"):
                break

    async def close(self) -> None:
        """Do nothing: connections end by themselves."""

    async def put(self, key: str, parts: AsyncIterable[bytes]) -> None:
        """Keep a content, whole at once."""
        check_key(key)
        sent = _Sent(parts)
        first = await sent.piece()
        with self._errors(key):
            if sent.is_over:
                await self._library.put_async(self._store, key, first, use_multipart=False)
                return
            try:  # what breaks off is aborted: nobody pays for parts that nobody sees
                await self._library.put_async(
                    self._store, key, sent.all(first), chunk_size=_PIECE, max_concurrency=_AT_ONCE
                )
            except Exception:
                if sent.error is not None:
                    raise sent.error from None
                raise

    async def get(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield a content, or some of it, in pieces."""
        check_key(key)
        check_range(start, stop)
        with self._errors(key):
            size = (await self._library.head_async(self._store, key))["size"]
        end = size if stop is None else min(size, stop)
        # Each piece is a request of its own: a client that reads slowly holds none open.
        for place in range(start, end, _PIECE):
            with self._errors(key):
                piece = await self._library.get_range_async(
                    self._store, key, start=place, end=min(place + _PIECE, end)
                )
            yield bytes(piece)

    async def list(self, prefix: str) -> list[Blob]:
        """Return what is kept under keys that start so."""
        check_key(prefix)
        found: list[Blob] = []
        with self._errors(prefix):
            async for some in self._library.list(self._store, prefix):
                found.extend(Blob(each["path"], each["size"]) for each in some)
        return sorted(found, key=lambda blob: blob.key)

    async def remove(self, prefix: str) -> None:
        """Remove a content, or all those whose keys start so."""
        check_key(prefix)
        keys = [prefix]
        if prefix.endswith("/"):
            keys = [blob.key for blob in await self.list(prefix)]
        with self._errors(prefix), suppress(FileNotFoundError):
            await self._library.delete_async(self._store, keys)

    @contextmanager
    def _errors(self, key: str) -> Generator[None]:
        """Raise our own errors for those of obstore."""
        known = self._library.exceptions
        try:
            yield
        except FileNotFoundError:
            raise MissingError(f"there is no content {key}") from None
        except (known.BaseError, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise AwayError(f"{self._url} cannot be used now: {reason}") from error


class _Sent:
    """The parts of a content, in pieces that are large enough to be sent.

    Attributes:
        is_over: whether there is no more.
        error: what the parts raised.
    """

    def __init__(self, parts: AsyncIterable[bytes]) -> None:
        self._parts = aiter(parts)
        self.is_over = False
        self.error: Exception | None = None

    async def piece(self) -> bytes:
        """Return the next piece; the last one may be of any size."""
        gathered: list[bytes] = []
        size = 0
        while size < _PIECE:
            try:
                part = await anext(self._parts)
            except StopAsyncIteration:
                self.is_over = True
                break
            gathered.append(part)
            size += len(part)
        return b"".join(gathered)

    async def all(self, first: bytes) -> AsyncIterator[bytes]:
        """Yield a piece that was taken before, and all others."""
        yield first
        while not self.is_over:
            try:
                piece = await self.piece()
            except Exception as error:
                self.error = error
                raise
            yield piece
