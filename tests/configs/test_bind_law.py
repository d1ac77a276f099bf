"""The Binder against `inspect.Signature.bind`, on signatures and calls made at random.

The law: to fill in a config and call is to bind the caller's arguments to the signature it can
see, and then to put the config's values where they belong.
"""

import inspect
from inspect import Parameter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from understudy import Config
from understudy.configs import Binder

CONFIG = Config(a=1)
KINDS = [Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL,
         Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD]  # fmt: skip


@st.composite
def functions(draw: st.DrawFn) -> Any:
    """A function of any signature, some parameters of which a config fills in."""
    parts: list[str] = []
    names = iter("abcdefgh")
    has_default = False
    for kind in KINDS:
        if kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            if draw(st.booleans()):
                parts.append("*rest" if kind is Parameter.VAR_POSITIONAL else "**more")
            elif kind is Parameter.VAR_POSITIONAL:
                parts.append("*")
            continue
        for _ in range(draw(st.integers(0, 2))):
            is_config = draw(st.booleans())
            if kind is Parameter.KEYWORD_ONLY:
                default = draw(st.booleans())
            else:
                default = has_default = has_default or draw(st.booleans())
            parts.append(
                f"{next(names)}{': Config' if is_config else ''}{' = -1' if default else ''}"
            )
        if kind is Parameter.POSITIONAL_ONLY and parts:
            parts.append("/")
    if (
        "*" in parts
        and parts.index("*") in (len(parts) - 1, len(parts) - 2)
        and (parts[-1] == "*" or parts[-1] == "**more")
    ):
        parts.remove("*")
    namespace: dict[str, Any] = {"Config": Config}
    exec(f"def function({', '.join(parts)}):\n    return locals()", namespace)
    return namespace["function"]


calls = st.tuples(
    st.lists(st.integers(10, 99), max_size=6).map(tuple),
    st.dictionaries(st.sampled_from("abcdefz"), st.integers(100, 199), max_size=4),
)


def expected(function: Any, args: tuple[int, ...], kwargs: dict[str, int]) -> Any:
    """Say by the rules what a call gives; a TypeError stands for a call Python refuses."""
    full = inspect.signature(function)
    only = [name for name, p in full.parameters.items() if p.kind is Parameter.POSITIONAL_ONLY]
    if "more" in full.parameters:  # which may take the name of a positional-only parameter
        taken = {name: kwargs[name] for name in only if name in kwargs}
        values = expected_without(
            function, args, {n: v for n, v in kwargs.items() if n not in taken}
        )
        return {**values, "more": {**values["more"], **taken}}
    return expected_without(function, args, kwargs)


def expected_without(function: Any, args: tuple[int, ...], kwargs: dict[str, int]) -> Any:
    full = inspect.signature(function)
    injected = [name for name, p in full.parameters.items() if p.annotation is Config]
    by_name = {
        name: kwargs[name]
        for name in injected
        if name in kwargs and full.parameters[name].kind is not Parameter.POSITIONAL_ONLY
    }
    positional = [p for p in full.parameters.values() if p.kind in KINDS[:2]]
    public = [p for p in positional if p.name not in injected]
    takes_more = any(p.kind is Parameter.VAR_POSITIONAL for p in full.parameters.values())
    if len(args) > len(public) and not takes_more:
        passed = {p.name for p in positional[: len(args)]}
        whole = full.bind_partial(*args, **kwargs)
        values = dict(whole.arguments)
        values |= {name: CONFIG for name in injected if name not in passed and name not in by_name}
    else:
        visible = full.replace(
            parameters=[p for n, p in full.parameters.items() if n not in injected]
        )
        rest = {name: value for name, value in kwargs.items() if name not in by_name}
        values = dict(visible.bind(*args, **rest).arguments)
        values |= {name: by_name.get(name, CONFIG) for name in injected}
    for name, p in full.parameters.items():
        if name in values:
            continue
        if p.kind is Parameter.VAR_POSITIONAL:
            values[name] = ()
        elif p.kind is Parameter.VAR_KEYWORD:
            values[name] = {}
        elif p.default is Parameter.empty:
            raise TypeError(name)
        else:
            values[name] = p.default
    return values


@given(functions(), calls)
def test_filling_in_is_binding_what_the_caller_sees(function: Any, call: Any) -> None:
    args, kwargs = call
    binder = Binder(function)
    try:
        wanted = expected(function, args, kwargs)
    except TypeError:
        wanted = TypeError
    try:
        found = binder.call(CONFIG, *args, **kwargs)
    except TypeError:
        found = TypeError
    assert found == wanted
    assert args == call[0]
    assert not set(binder.injected) & set(binder.signature.parameters)
