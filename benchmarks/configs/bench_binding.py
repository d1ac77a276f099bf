"""What binding costs: a call that a config is filled into, over the bare call.

An experiment's function is called many times under few configs, so what counts is the second call
and every later one. Types that a call could change under the hands of another (a dict, a mutable
Struct, a dataclass, a model) are made anew for each call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table, repeated
from benchmarks._peers import PYDANTIC, SPEARMINT, load, load_spearmint, silenced
from understudy import Bind, Config
from understudy.configs import Binder

_CALLS = 1_000
_PEER_CALLS = 20
_BARE = "the bare call"
_ONE_PARAMETER = Goal(extra=1e-6)
_LLM = {"model": "large", "temp": 0.7, "tokens": 256}


class FrozenLlm(msgspec.Struct, frozen=True):
    model: str
    temp: float
    tokens: int


class Llm(msgspec.Struct):
    model: str
    temp: float
    tokens: int


@dataclass
class DataLlm:
    model: str
    temp: float
    tokens: int


def _answer(annotation: Any) -> Callable[[int, Any], int]:
    def answer(x: int, value: Any) -> int:
        return x

    answer.__annotations__["value"] = annotation
    return answer


def _async_answer(annotation: Any) -> Callable[[int, Any], Awaitable[int]]:
    async def answer(x: int, value: Any) -> int:
        return x

    answer.__annotations__["value"] = annotation
    return answer


def _config_first(config: Config, x: int) -> int:
    return x


def _three(
    x: int,
    config: Config,
    temp: Annotated[float, Bind("llm.temp")],
    llm: Annotated[FrozenLlm, Bind("llm")],
) -> int:
    return x


def _bound(function: Callable[..., object], config: Config) -> Callable[[], None]:
    binder = Binder(function)

    def run() -> None:
        for _ in range(_CALLS):
            args, kwargs = binder.bind(config, (1,), {})
            function(*args, **kwargs)

    return run


def _awaited(
    runner: asyncio.Runner, calls: int, call: Callable[[], Awaitable[object]]
) -> Callable[[], None]:
    async def many() -> None:
        for _ in range(calls):
            await call()

    return lambda: runner.run(many())


def _model() -> Any:
    """Return a pydantic model of the same fields; None where pydantic is not installed."""
    pydantic = load("pydantic")
    if pydantic is None:
        return None
    return pydantic.create_model("Llm", model=(str, ...), temp=(float, ...), tokens=(int, ...))


def _experiment(spearmint: Any, model: Any, function: Callable[..., Any]) -> Callable[[int], Any]:
    case = spearmint.Spearmint(configs=[{"llm": dict(_LLM)}])
    experiment: Callable[[int], Any] = case.experiment(bindings={model: "llm"})(function)
    return experiment


def _sync_table(spearmint: Any, model: Any) -> Table:
    config = Config({"llm": _LLM})
    kinds = {
        "Config": Config,
        'float at "llm.temp"': Annotated[float, Bind("llm.temp")],
        "frozen Struct": Annotated[FrozenLlm, Bind("llm")],
        "mutable Struct": Annotated[Llm, Bind("llm")],
        "dataclass": Annotated[DataLlm, Bind("llm")],
        "dict": Annotated[dict[str, Any], Bind("llm")],
    }
    if model is not None:
        kinds["pydantic model"] = Annotated[model, Bind("llm")]
    frozen = _answer(kinds["frozen Struct"])
    prepared = repeated(_CALLS, Binder(frozen).prepare, config)
    one_parameter = {
        **{f"bind + call: {name}": _bound(_answer(kind), config) for name, kind in kinds.items()},
        "bind + call: Config, as the first parameter": _bound(_config_first, config),
        "Binder.call: Config": repeated(_CALLS, Binder(_answer(Config)).call, config, 1),
        "Binder.call: frozen Struct": repeated(_CALLS, Binder(frozen).call, config, 1),
    }
    cases = [
        Case(_BARE, repeated(_CALLS, _answer(Config), 1, config), _CALLS),
        *(Case(name, run, _CALLS, _BARE, _ONE_PARAMETER) for name, run in one_parameter.items()),
        Case("bind + call: three parameters", _bound(_three, config), _CALLS, _BARE),
        Case("a config's first bind: frozen Struct", prepared, _CALLS, _BARE),
    ]
    if spearmint is not None:
        call = _experiment(spearmint, model, _answer(model))
        run = silenced(lambda: [call(1) for _ in range(_PEER_CALLS)])
        cases.append(Case("Spearmint (tracing off): pydantic model", run, _PEER_CALLS, _BARE))
    return Table("one call of a sync function with one typed parameter", cases)


def _async_table(spearmint: Any, model: Any, runner: asyncio.Runner) -> Table:
    config = Config({"llm": _LLM})
    bare = _async_answer(Config)
    binder = Binder(bare)
    frozen = Binder(_async_answer(Annotated[FrozenLlm, Bind("llm")]))
    one_parameter = {
        "Binder.call: Config": _awaited(runner, _CALLS, lambda: binder.call(config, 1)),
        "Binder.call: frozen Struct": _awaited(runner, _CALLS, lambda: frozen.call(config, 1)),
    }
    cases = [
        Case(_BARE, _awaited(runner, _CALLS, lambda: bare(1, config)), _CALLS),
        *(Case(name, run, _CALLS, _BARE, _ONE_PARAMETER) for name, run in one_parameter.items()),
    ]
    if spearmint is not None:
        call = _experiment(spearmint, model, _async_answer(model))
        run = silenced(_awaited(runner, _PEER_CALLS, lambda: call(1)))
        cases.append(Case("Spearmint (tracing off): pydantic model", run, _PEER_CALLS, _BARE))
    return Table("one awaited call of an async function with one typed parameter", cases)


def tables() -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    model, spearmint = _model(), load_spearmint()
    yield _sync_table(spearmint, model)
    with asyncio.Runner() as runner:
        yield _async_table(spearmint, model, runner)


if __name__ == "__main__":
    main(tables, peers=(SPEARMINT, PYDANTIC))
