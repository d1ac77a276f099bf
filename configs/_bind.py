"""Bind: which part of a config a parameter gets."""

from typing import final

from ._keypath import KeyPath, format_path
from ._paths import as_path


@final
class Bind:
    """Says which part of the config a parameter gets: `Annotated[float, Bind("llm.temp")]`.

    The part is converted to the annotated type: a number, a text, a list, a `Literal`, a msgspec
    Struct, a dataclass, a TypedDict, an attrs or pydantic model. Without a path it is the whole.

    Args:
        path: keys with dots between them, or a tuple of keys.

    Raises:
        ConfigError: the path cannot be read.

    Example:
        >>> from typing import Annotated
        >>> from understudy import Bind, Config
        >>> from understudy.configs import Binder
        >>> def ask(prompt: str, temp: Annotated[float, Bind("llm.temp")]) -> str:
        ...     return f"{prompt} at {temp}"
        >>> Binder(ask).call(Config({"llm": {"temp": 1}}), "hello")
        'hello at 1.0'
    """

    __module__ = "understudy.configs"

    __slots__ = ("keys",)

    keys: KeyPath

    def __init__(self, path: str | KeyPath = "") -> None:
        self.keys = as_path(path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bind) and self.keys == other.keys

    def __hash__(self) -> int:
        return hash(self.keys)

    def __repr__(self) -> str:
        return f"Bind({format_path(self.keys)!r})"
