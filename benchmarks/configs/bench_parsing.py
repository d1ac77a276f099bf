"""What it costs to make configs of mappings, and to read them.

The floor is what no library that gives a config an id by its content can do without: the canonical
JSON of its values, and the SHA-256 of that. `parse_configs` makes the ids, and the labels that tell
siblings apart; Spearmint makes ids; OmegaConf makes neither.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from benchmarks._command import main
from benchmarks._harness import Case, Table, repeated
from benchmarks._peers import OMEGACONF, PYDANTIC, SPEARMINT, load, load_spearmint, silenced
from understudy import Config, DynamicValue, parse_configs

_COUNT = 1_000
_SIDE = 10
_READS = 1_000
_FLOOR = "the floor: json.dumps + sha256"

_FLAT = [
    {"model": f"model-{number}", "temp": number / _COUNT, "tokens": number, "seed": 7}
    for number in range(_COUNT)
]
_NESTED = [
    {"model": f"model-{number}", "seed": 7, "llm": {"temp": number / _COUNT, "tokens": number}}
    for number in range(_COUNT)
]


def _plain_id(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _forget_paths() -> None:
    """Empty the list that Spearmint keeps from call to call, and looks through in the next."""
    names = load("spearmint.config.dynamic_value").__dict__
    names["_find_dynamic_values"].__defaults__[0].clear()


def _parse_table(kind: str, mappings: list[dict[str, Any]], spearmint: Any, omega: Any) -> Table:
    def by_spearmint() -> object:
        _forget_paths()
        return spearmint.Spearmint(configs=mappings).configs

    count = len(mappings)
    cases = [
        Case(_FLOOR, lambda: [_plain_id(values) for values in mappings], count),
        Case("parse_configs", lambda: parse_configs(mappings), count, _FLOOR),
        Case(
            "parse_configs, and the id of each",
            lambda: [config.id for config in parse_configs(mappings)],
            count,
            _FLOOR,
        ),
        Case(
            "Config(...).id, each by itself",
            lambda: [Config(values).id for values in mappings],
            count,
            _FLOOR,
        ),
    ]
    if spearmint is not None:
        cases.append(Case("Spearmint(configs=...).configs", by_spearmint, count, _FLOOR))
    if omega is not None:
        create = omega.OmegaConf.create
        run: Callable[[], object] = lambda: [create(values) for values in mappings]
        cases.append(Case("OmegaConf.create each (no ids)", run, count, _FLOOR))
    return Table(f"{count:,} {kind}, per dict", cases)


def _grid_table(spearmint: Any) -> Table:
    numbers = list(range(_SIDE))
    ours = {"model": "large", "temp": DynamicValue(numbers), "seed": DynamicValue(numbers)}

    def floor() -> object:
        return [
            _plain_id({"model": "large", "temp": temp, "seed": seed})
            for temp, seed in product(numbers, numbers)
        ]

    count = _SIDE * _SIDE
    cases = [
        Case(_FLOOR, floor, count),
        Case("parse_configs", lambda: parse_configs(ours), count, _FLOOR),
    ]
    if spearmint is not None:
        dynamic = spearmint.config.DynamicValue
        theirs = {"model": "large", "temp": dynamic(numbers), "seed": dynamic(numbers)}

        def by_spearmint() -> object:
            _forget_paths()
            return spearmint.config.generate_configurations(theirs)

        cases.append(
            Case("Spearmint's generate_configurations", silenced(by_spearmint), count, _FLOOR)
        )
    return Table(f"{_SIDE} x {_SIDE} DynamicValues, per config", cases)


def _reading_table(spearmint: Any, omega: Any) -> Table:
    values: dict[str, Any] = {"model": "large", "llm": {"temp": 0.7}}
    config = Config(values)
    key, path = 'dict["model"]', 'dict["llm"]["temp"]'
    cases = [
        Case(key, _item(values), _READS),
        Case('config["model"]', _item(config), _READS, key),
        Case("config.model", _attribute(config), _READS, key),
        Case("hash(config)", repeated(_READS, hash, config), _READS, key),
    ]
    if spearmint is not None:
        theirs = spearmint.config.Config(dict(values))
        cases.append(Case('Spearmint: config["model"]', _item(theirs), _READS, key))
        cases.append(Case("Spearmint: config.model", _attribute(theirs), _READS, key))
    if omega is not None:
        created = omega.OmegaConf.create(values)
        cases.append(Case('OmegaConf: config["model"]', _item(created), _READS, key))
        cases.append(Case("OmegaConf: config.model", _attribute(created), _READS, key))
    cases += [
        Case(path, _inner(values), _READS),
        Case('config["llm"]["temp"]', _inner(config), _READS, path),
        Case('config.at("llm.temp")', repeated(_READS, config.at, "llm.temp"), _READS, path),
    ]
    if omega is not None:
        select = omega.OmegaConf.select
        created = omega.OmegaConf.create(values)
        cases.append(Case('OmegaConf: config["llm"]["temp"]', _inner(created), _READS, path))
        run = repeated(_READS, select, created, "llm.temp")
        cases.append(Case('OmegaConf.select(config, "llm.temp")', run, _READS, path))
    return Table("reading a value", cases)


def _item(config: Any) -> Callable[[], None]:
    def run() -> None:
        for _ in range(_READS):
            config["model"]

    return run


def _attribute(config: Any) -> Callable[[], None]:
    def run() -> None:
        for _ in range(_READS):
            _ = config.model

    return run


def _inner(config: Any) -> Callable[[], None]:
    def run() -> None:
        for _ in range(_READS):
            config["llm"]["temp"]

    return run


def tables() -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    spearmint, omega = load_spearmint(), load("omegaconf")
    yield _parse_table("flat dicts", _FLAT, spearmint, omega)
    yield _parse_table("dicts with one nested", _NESTED, spearmint, omega)
    yield _grid_table(spearmint)
    yield _reading_table(spearmint, omega)


if __name__ == "__main__":
    main(tables, peers=(SPEARMINT, PYDANTIC, OMEGACONF))
