"""Reading: an async generator whose steps are made elsewhere."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final, Protocol

LATER: Final = object()
"""Stands for an item that has to be waited for."""


class Source(Protocol):
    """What makes the steps of a stream; the last one raises `StopAsyncIteration`."""

    async def first(self) -> Any:
        """Begin, and return the first item."""
        ...

    def send(self, value: Any) -> Any:
        """Send a value in, and return the next item, if it is there; if not, `LATER`."""
        ...

    async def wait(self) -> Any:
        """Return the item that was to come later."""
        ...

    async def throw(self, error: BaseException) -> Any:
        """Throw an error in, and return the next item."""
        ...

    async def close(self) -> None:
        """End it, as the reader wants no more; it may have ended already."""
        ...


def async_stream_of(
    begin: Callable[[tuple[Any, ...], Mapping[str, Any]], Source],
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return an async generator function; nothing begins before its first step."""

    async def play(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        source = begin(args, kwargs)
        try:
            item = await source.first()
            while True:
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:
                    item = await source.throw(error)
                else:
                    item = source.send(sent)
                    if item is LATER:
                        item = await source.wait()
        except StopAsyncIteration:
            return
        finally:
            await source.close()

    return play
