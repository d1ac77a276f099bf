"""A parameter that looks as if a config should fill it in, and does not get one, is told of."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pydantic
import pytest

from understudy import Bind, Runtime

if TYPE_CHECKING:
    from understudy import Config

MODELS = [{"model": "large"}, {"model": "small"}]


@dataclasses.dataclass
class Settings:
    model: str


class SettingsStruct(msgspec.Struct):
    model: str


class SettingsModel(pydantic.BaseModel):
    model: str


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", [Settings, SettingsStruct, SettingsModel, Settings | None])
def test_a_class_of_ones_own_for_the_config_is_pointed_to_bind(
    count: int, kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(prompt: str, config: Any) -> str:
        return prompt

    answer.__annotations__["config"] = kind
    Runtime(configs=MODELS[:count]).experiment(answer)
    (told,) = caplog.messages
    name = kind.__name__ if isinstance(kind, type) else "Settings"
    assert f"'config' is annotated as {name}: write Annotated[{name}, Bind()]" in told
    assert "declare it with configs=None" in told


def test_what_the_warning_says_to_write_is_filled_in(caplog: pytest.LogCaptureFixture) -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment
    def answer(prompt: str, config: Annotated[Settings, Bind()]) -> str:
        return f"{config.model}: {prompt}"

    with runtime:
        assert answer("hi") == "large: hi"
    assert caplog.messages == []


def test_an_annotation_that_cannot_be_found_is_named(caplog: pytest.LogCaptureFixture) -> None:
    def checked_only(cfg: Config) -> None: ...

    def mistyped(cfg: Confg) -> None: ...  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore

    for function, annotation in ((checked_only, "Config"), (mistyped, "Confg")):
        for count in (1, 2):
            caplog.clear()
            Runtime(configs=MODELS[:count]).experiment(function)
            (told,) = caplog.messages
            assert f"the annotation '{annotation}' of 'cfg' has a name that cannot be found" in told
            assert "test_configs_not_taken.py:" in told


def test_one_config_beside_what_is_surely_the_callers_is_no_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def other(prompt: Prompt) -> None: ...  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore

    def optional(prompt: str, config: Settings | None = None) -> None: ...

    def for_nobody(prompt: str, *config: Settings) -> None: ...

    for function in (other, optional, for_nobody):
        Runtime(configs=MODELS[:1]).experiment(function)
    Runtime(configs=MODELS).experiment(configs=None)(other)
    assert caplog.messages == []
