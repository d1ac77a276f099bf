"""Reading: an async generator whose steps are made elsewhere."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Protocol


class Source(Protocol):
    """What makes the steps of a stream; the last one raises `StopAsyncIteration`."""

    async def first(self) -> Any:
        """Begin, and return the first item."""
        ...

    async def send(self, value: Any) -> Any:
        """Send a value in, and return the next item."""
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
                    item = await source.send(sent)
        except StopAsyncIteration:
            return
        finally:
            await source.close()

    return play
