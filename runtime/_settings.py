"""The settings of experiments: what may be said, and what is wrong with what was said."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from understudy.actors import CircuitBreaker, Settings, StreamLimits
from understudy.configs import Config, UnderstudyError, parse_configs
from understudy.strategies import as_strategy

NO_CONFIG = Config({"__config_id__": "default"})
"""What an experiment plays that has no configs."""
ONLY_DECLARED = ("name", "uses", "place", "capture")
"""What `experiment(...)` takes beside settings, and `options(...)` does not."""
_WHOLE_FROM_ONE = ("concurrency", "max_cases")
_CHOICES = {"overflow": ("wait", "reject"), "nested": ("product", "independent")}


class ExperimentError(UnderstudyError, ValueError):
    """An experiment cannot be made, or called, as it was asked for.

    Example:
        >>> from understudy import Runtime
        >>> Runtime(concurrency=0)
        Traceback (most recent call last):
        ...
        understudy.ExperimentError: concurrency must be a whole number from 1 on, not 0
    """

    __module__ = "understudy"


def make_settings(base: Settings, given: Mapping[str, Any], others: Sequence[str] = ()) -> Settings:
    """Return settings with some of them given anew.

    Args:
        base: what they are otherwise.
        given: what is given anew.
        others: what may be said beside settings, for the error of a name that there is not.

    Raises:
        ExperimentError: which one is wrong, and what it may be.
        ConfigError: a config is wrong.
    """
    unknown = [name for name in given if name not in Settings.__struct_fields__]
    if unknown:
        raise _unknown(unknown[0], [*Settings.__struct_fields__, *others])
    changed = dict(given)
    if "configs" in changed:
        changed["configs"] = as_configs(changed["configs"])
    if "strategy" in changed:
        changed["strategy"] = as_strategy(changed["strategy"])
    settings = msgspec.structs.replace(base, **changed)
    for name in (*_WHOLE_FROM_ONE, "mailbox"):
        value = getattr(settings, name)
        least = 1 if name in _WHOLE_FROM_ONE else 0
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ExperimentError(f"{name} must be a whole number from {least} on, not {value!r}")
    timeout: Any = settings.timeout
    if timeout is not None and not (isinstance(timeout, (int, float)) and 0 < timeout < 1e9):
        raise ExperimentError(f"timeout must be a number of seconds over 0, not {timeout!r}")
    for name, choices in _CHOICES.items():
        value = getattr(settings, name)
        if value not in choices:
            allowed = " or ".join(map(repr, choices))
            raise ExperimentError(f"{name} must be {allowed}, not {value!r}")
    stream: Any = settings.stream
    if not isinstance(stream, StreamLimits):
        raise ExperimentError(f"stream must be StreamLimits, not {stream!r}")
    return settings


def _unknown(name: str, known: list[str]) -> ExperimentError:
    from difflib import get_close_matches

    if name in ONLY_DECLARED:
        hint = " here: it is said when the experiment is declared"
    else:
        near = get_close_matches(name, known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
    return ExperimentError(f"there is no setting {name!r}{hint}; there are {', '.join(known)}")


def check_runtime(given: Mapping[str, Any]) -> None:
    """Refuse what a runtime, and no experiment, is given and cannot be.

    Raises:
        ExperimentError: which one is wrong, and what it may be.
    """
    circuit = given["circuit"]
    if not isinstance(circuit, CircuitBreaker | None):
        raise ExperimentError(f"circuit must be a CircuitBreaker or None, not {circuit!r}")
    restarts = given["max_restarts"]
    if not isinstance(restarts, int) or isinstance(restarts, bool) or restarts < 0:
        raise ExperimentError(f"max_restarts must be a whole number from 0 on, not {restarts!r}")
    for name, is_zero_fine in (("drain_timeout", True), ("within", False)):
        seconds = given[name]
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not is_number or not 0 <= seconds < 1e9 or (seconds == 0 and not is_zero_fine):
            least = "from 0 on" if is_zero_fine else "over 0"
            raise ExperimentError(f"{name} must be a number of seconds {least}, not {seconds!r}")
    lag = given["lag"]
    is_number = isinstance(lag, int | float) and not isinstance(lag, bool)
    if lag is not None and not (is_number and (lag == 0 or 0.01 <= lag < 1e9)):
        raise ExperimentError(
            f"lag must be a number of seconds from 0.01 on, or None for never, not {lag!r}"
        )
    service = given["service"]
    if not isinstance(service, str | None):
        raise ExperimentError(f"service must be a name or None, not {service!r}")
    redact = given["redact"]
    if redact is not None and not callable(redact):
        raise ExperimentError(
            f"redact must be a function of a key and a value, or None, not {redact!r}"
        )
    if not callable(given["clock"]):
        raise ExperimentError(f"clock must be a function, not {given['clock']!r}")


def as_configs(given: Any) -> tuple[Config, ...]:
    """Return configs from whatever they can be made from; one that stands for none, for None.

    Raises:
        ExperimentError: there is no config in it.
        ConfigError: a config is wrong.
    """
    if given is None:
        return (NO_CONFIG,)
    configs = tuple(parse_configs(given))
    if not configs:
        raise ExperimentError(
            f"configs={given!r} has no config in it: give one at least, the trusted one first, or "
            f"None for a function that takes none"
        )
    return configs


def check_place(place: str) -> None:
    """Refuse a place that there is not.

    Raises:
        ExperimentError: there is no such place.
    """
    if place != "loop":
        raise ExperimentError(f"place must be 'loop', not {place!r}")


def check_buffer(buffer: Any) -> None:
    """Refuse a number of results that nothing can wait in.

    Raises:
        ExperimentError: it is no whole number, or none fits.
    """
    if not isinstance(buffer, int) or isinstance(buffer, bool) or buffer < 1:
        raise ExperimentError(f"buffer must be a whole number from 1 on, not {buffer!r}")


def check_name(name: Any) -> str | None:
    """Return the name of an experiment.

    Raises:
        ExperimentError: it is no text.
    """
    if name is not None and (not isinstance(name, str) or not name):
        raise ExperimentError(f"name must be a text, or None for the function's own, not {name!r}")
    return name


def check_uses(uses: Any) -> Sequence[Any]:
    """Return the experiments that one says it calls.

    Raises:
        ExperimentError: it is no list of them.
    """
    if callable(uses):
        raise ExperimentError(
            f"uses must be a list of experiments, not one alone: write "
            f"uses=[{getattr(uses, '__name__', repr(uses))}]"
        )
    if isinstance(uses, str | bytes) or not isinstance(uses, Iterable):
        raise ExperimentError(f"uses must be a list of experiments, not {uses!r}")
    return [*uses]
