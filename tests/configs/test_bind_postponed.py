"""Binding in a module whose annotations are all postponed, with local classes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pytest

from understudy import Bind, Config, ConfigError
from understudy.configs import Binder

if TYPE_CHECKING:
    from nowhere import Thing  # type: ignore[import-not-found]  # pyright: ignore

CONFIG = Config({"part": {"size": 5}, "temp": 1})


class AtModule(msgspec.Struct):
    size: int


def test_postponed_annotations_are_found_in_the_module() -> None:
    def function(
        prompt: str,
        config: Config,
        part: Annotated[AtModule, Bind("part")],
        other: Thing | None = None,
    ) -> Any:
        return prompt, config, part, other

    assert Binder(function).call(CONFIG, "hi") == ("hi", CONFIG, AtModule(5), None)


def test_local_classes_are_found_where_the_decorator_stands() -> None:
    @dataclasses.dataclass
    class Local:
        size: int

    def decorated(function: Any) -> Binder[Any]:
        return Binder(function)

    @decorated
    def function(part: Annotated[Local, Bind("part")], temp: Annotated[float, Bind("temp")]) -> Any:
        return part, temp

    part, temp = function.call(CONFIG)
    assert (type(part), part.size, temp) == (Local, 5, 1.0)


def test_local_classes_of_a_method_and_of_an_outer_function() -> None:
    class Outer(msgspec.Struct):
        size: int

    def make() -> Any:
        class Service:
            class Inner(msgspec.Struct):
                size: int

            def __init__(self) -> None:
                self.used = Inner2

            def outer(self, part: Annotated[Outer, Bind("part")]) -> Any:
                return part

            def inner(self, part: Annotated[Inner, Bind("part")]) -> Any:
                return part

            binder_of_inner = Binder(inner)
            binder_of_outer = Binder(outer)

        return Service

    class Inner2: ...

    service = make()
    assert type(service.binder_of_inner.call(CONFIG, service())) is service.Inner
    assert type(service.binder_of_outer.call(CONFIG, service())) is Outer


def test_a_config_known_to_type_checkers_only_is_known_by_its_name() -> None:
    code = """
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from understudy import Config
def function(x: int, config: Config): return x, config
def other(x: Config): return x
"""
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    assert Binder(namespace["function"]).call(CONFIG, 1) == (1, CONFIG)
    assert Binder(namespace["other"]).injected == ()


def test_a_bind_of_a_type_known_to_type_checkers_only_is_an_error() -> None:
    def function(part: Annotated[Thing, Bind("part")]) -> Any:
        return part

    with pytest.raises(ConfigError, match="not under TYPE_CHECKING"):
        Binder(function)
