"""Missed: a parameter that nothing fills in, though it looks as if a config should."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ._annotations import Unresolved, resolved_annotations, unwrapped
from ._convert import without_none

_CONFIG_NAME = "config"
_FOR_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_ALIKE = 0.8
"""How much a name is like `Config` that is a slip of the pen."""


class Missed(NamedTuple):
    """A parameter that nothing fills in.

    Attributes:
        is_likely: whether it hardly can be meant otherwise.
        advice: what it is, and what to write.
    """

    is_likely: bool
    advice: str


def find_missed(function: Callable[..., Any], signature: inspect.Signature) -> Iterator[Missed]:
    """Yield the parameters of a function that may be meant for a config, and get none."""
    annotations = resolved_annotations(function, signature)
    for name, parameter in signature.parameters.items():
        if parameter.kind in _FOR_MANY:
            continue
        annotation = annotations.get(name, parameter.empty)
        if isinstance(annotation, Unresolved):
            yield Missed(
                name == _CONFIG_NAME or _is_like_config(annotation),
                f"the annotation {str(annotation)!r} of {name!r} has a name that cannot be found: "
                f"import it at run time, not under TYPE_CHECKING",
            )
        elif name == _CONFIG_NAME:
            kind = _written(unwrapped(without_none(annotation)))
            yield Missed(
                parameter.default is parameter.empty,
                f"{name!r} is annotated as {kind}: write Annotated[{kind}, Bind()] to have it "
                f"made from the config",
            )


def _is_like_config(annotation: str) -> bool:
    from difflib import SequenceMatcher

    words = re.findall(r"\w+", annotation)
    return any(SequenceMatcher(None, word, "Config").ratio() >= _ALIKE for word in words)


def _written(annotation: Any) -> str:
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__name__
    return re.sub(r"\b(\w+\.)+", "", repr(annotation))
