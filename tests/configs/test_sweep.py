"""Sweeps: explicit, exact, and never empty without saying so."""

import itertools
import math
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import (
    Config,
    ConfigError,
    ConfigTypeError,
    DynamicValue,
    frange,
    grid,
    linspace,
    load_config,
    logspace,
    parse_configs,
    sample,
    sweep,
    where,
    zip_,
)
from understudy.configs import origin_of

BASE = {"name": "mlp", "model": {"size": 256, "layers": 4}}


def test_names_are_joined() -> None:
    small, large = sweep(
        BASE, [{"name": "small", "model.size": 64}, {"name": "large", "model.size": 512}]
    )
    assert small == {"name": "mlp_small", "model": {"size": 64, "layers": 4}}
    assert (small.label, large.label) == ("mlp_small", "mlp_large")


def test_a_name_that_only_one_side_has() -> None:
    assert sweep(BASE, [{"lr": 1}])[0].name == "mlp"
    assert sweep({"lr": 1}, [{"name": "x"}])[0].name == "x"
    assert "name" not in sweep({"lr": 1}, [{"lr": 2}])[0]


def test_every_base_with_every_variation() -> None:
    configs = sweep([{"name": "a"}, {"name": "b"}], [{"name": "x"}, {"name": "y"}], grid(lr=[1, 2]))
    assert [(c.name, c.lr) for c in configs] == [
        ("a_x", 1), ("a_x", 2), ("a_y", 1), ("a_y", 2), ("b_x", 1), ("b_x", 2), ("b_y", 1), ("b_y", 2),
    ]  # fmt: skip


def test_sweeps_chain_and_their_configs_are_sources() -> None:
    configs = sweep(sweep(BASE, grid(lr=[1, 2])), [{"seed": 1}, {"seed": 2}])
    assert [(c.lr, c.seed) for c in configs] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert parse_configs(configs) == configs
    assert sweep(BASE) == [Config(BASE)]


def test_dynamic_values_of_a_sweep_are_expanded() -> None:
    configs = sweep({"a": DynamicValue([1, 2])}, [{"b": DynamicValue([3, 4])}, {"b": 5}])
    assert [(c.a, c.b) for c in configs] == [(1, 3), (1, 4), (2, 3), (2, 4), (1, 5), (2, 5)]


def test_the_same_config_twice_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"^sweep\[1\]: the same id '.*' as sweep\[0\]"):
        sweep({"a": 1}, grid(b=[1, 1]))
    assert len(sweep({"f": len}, grid(b=[1, 1]))) == 2


def test_where_a_value_of_a_sweep_was_written_is_known(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("model: {size: 1}\nlr: 0.1")
    config = sweep(load_config(tmp_path / "base.yaml"), [{"x": 1}, {"model.size": 5}])[1]
    assert origin_of(config, "model.size") == "sweep[1]"
    assert origin_of(config, "lr") == f"{tmp_path}/base.yaml:2"


def test_an_id_that_a_variation_states() -> None:
    configs = sweep(
        {"name": "b"}, [{"name": "v", "__config_id__": "x"}, {"lr": 1, "__config_id__": "y"}]
    )
    assert [(config.id, config.name) for config in configs] == [("x", "b_v"), ("y", "b")]
    assert sweep({}, [Config({"a": 1, "__config_id__": "z"})])[0].id == "z"


def test_too_many_combinations_are_refused_before_any_is_made() -> None:
    for make in (
        lambda: grid(a=range(1000), b=range(1000)),
        lambda: sweep([{}] * 1000, [{}] * 1000),
    ):
        with pytest.raises(ConfigError, match="it makes 1,000,000 combinations, more than 100,000"):
            make()
    with pytest.raises(ConfigError, match="a: an axis takes at most 1,000,000 values"):
        grid(a=itertools.count())


@pytest.mark.parametrize(
    ("helper", "arguments"),
    [
        (linspace, (0, 1, 2.5)), (linspace, (0, 1, "3")), (sample, ([1, 2], 1.5)), (where, ([1], None)),
        (grid, ([1, 2],)), (frange, (0, "1/0", 1)),
    ],
)  # fmt: skip
def test_arguments_of_another_kind(helper: Any, arguments: Any) -> None:
    with pytest.raises(ConfigError):
        helper(*arguments)


def test_nothing_given_twice_is_dropped_and_nothing_is_left_to_chance() -> None:
    with pytest.raises(ConfigError, match="^a: the axis is given twice"):
        grid({"a": [1]}, a=[2])
    with pytest.raises(ConfigTypeError, match="the seed of sample takes a whole number, not None"):
        sample([1, 2], 1, seed=None)  # type: ignore[arg-type]  # pyright: ignore


def test_a_sweep_without_configs_is_an_error() -> None:
    nothing: list[Any] = []
    cases: list[list[Any]] = [[nothing], [BASE, nothing], [BASE, [{}], iter(nothing)]]
    for arguments in cases:
        with pytest.raises(ConfigError, match="the sweep would have no configs"):
            sweep(*arguments)
    with pytest.raises(ConfigTypeError, match="item 1 of a list of variations is an int"):
        sweep(BASE, [{}, 5])  # type: ignore[list-item]  # pyright: ignore
    with pytest.raises(ConfigTypeError, match="variations are a list of mappings"):
        sweep(BASE, {"lr": [1, 2]})  # type: ignore[dict-item]  # pyright: ignore
    with pytest.raises(ConfigTypeError, match="a base is a mapping or several of them, not a str"):
        sweep("base.yaml")  # type: ignore[arg-type]  # pyright: ignore


def test_grid_and_zip() -> None:
    assert grid({"a.b": [1, 2]}, c=["xy"]) == [{"a.b": 1, "c": "xy"}, {"a.b": 2, "c": "xy"}]
    assert zip_({"a": [1, 2]}, b=(3, 4)) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]
    with pytest.raises(ConfigError, match="axes of one length: a has 2, b has 1"):
        zip_(a=[1, 2], b=[1])
    for helper in (grid, zip_):
        with pytest.raises(ConfigError, match="no axes were given"):
            helper()
        with pytest.raises(ConfigError, match="^a: an axis needs at least one value"):
            helper(a=[])
        with pytest.raises(ConfigTypeError, match="^a: an axis is a list of values, not a str"):
            helper(a="text")


def test_a_plain_string_is_never_a_sweep() -> None:
    values = {
        "a": "hello, world",
        "b": "range(3)",
        "c": "1,2,3",
        "d": "linspace(0,1,3)",
        "e": "00123",
    }
    assert parse_configs(values) == [Config(values)]
    assert sweep(BASE, [values])[0].a == "hello, world"


def test_frange_has_exactly_as_many_values_as_it_should() -> None:
    assert frange(0.01, 0.1, 0.01) == [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09]
    assert frange(0.0, 1.0, 0.1) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert frange(1, 0, -0.25) == [1.0, 0.75, 0.5, 0.25]
    assert frange(0, 1, 0.3) == [0.0, 0.3, 0.6, 0.9]
    assert frange(5, 6, 10) == [5.0]


@given(st.decimals(-1000, 1000, places=3), st.integers(1, 200), st.decimals("0.001", 10, places=3))
def test_frange_counts_in_decimals(start: Decimal, count: int, step: Decimal) -> None:
    stop = start + count * step
    values = frange(float(start), float(stop), float(step))
    assert values == [float(start + index * step) for index in range(count)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 0), "a step that is not zero"),
        ((0, 1, -1), "is empty: the step leads away"),
        ((1, 1, 1), "is empty"),
        ((0, math.inf, 1), "expected a finite number, not inf"),
        ((0, 1e9, 1e-9), "frange makes 1 to 1,000,000 numbers, not 1,000,000,000,000,000,000"),
    ],
)
def test_a_range_that_is_none(arguments: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        frange(*arguments)


def test_linspace_and_logspace() -> None:
    assert linspace(0, 1, 11) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert linspace(1, 0, 3) == [1.0, 0.5, 0.0]
    assert linspace(5, 9, 1) == [5.0]
    assert logspace(-4, -1, 4) == [0.0001, 0.001, 0.01, 0.1]
    assert logspace(0, 3, 4, base=2) == [1.0, 2.0, 4.0, 8.0]
    assert logspace(0, 1, 3) == [1.0, pytest.approx(10**0.5), 10.0]


@pytest.mark.parametrize(
    ("helper", "arguments", "options"),
    [
        (linspace, (0, 1, 0), {}),
        (linspace, (0, math.nan, 2), {}),
        (logspace, (0, 1, -1), {}),
        (logspace, (0, 1, 2), {"base": 0}),
        (logspace, (0, 400, 2), {}),
        (logspace, (0, 0.5, 2), {"base": math.inf}),
    ],
)
def test_spaces_that_are_none(helper: Any, arguments: Any, options: Any) -> None:
    with pytest.raises(ConfigError):
        helper(*arguments, **options)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(2, 50))
def test_linspace_has_its_ends(start: float, stop: float, count: int) -> None:
    values = linspace(start, stop, count)
    assert (len(values), values[0], values[-1]) == (count, start, stop)
    assert sorted(values, reverse=start > stop) == values


def test_sample_is_the_same_everywhere() -> None:
    code = "from understudy import sample; print(sample(range(100), 5, seed=3))"
    elsewhere = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert elsewhere.stdout == f"{sample(range(100), 5, seed=3)}\n" == "[6, 25, 75, 87, 92]\n"


@given(st.integers(1, 50), st.integers())
def test_a_sample_keeps_the_order_and_repeats_nothing(count: int, seed: int) -> None:
    drawn = sample(range(50), count, seed=seed)
    assert len(drawn) == count
    assert sorted(set(drawn)) == drawn


def test_every_item_is_drawn_sometimes_and_the_callers_random_is_left_alone() -> None:
    state = random.getstate()
    assert {item for seed in range(100) for item in sample(range(5), 2, seed=seed)} == set(range(5))
    assert random.getstate() == state
    for count in (0, 6, -1):
        with pytest.raises(ConfigError, match="sample can draw 1 to 5 of 5 items"):
            sample(range(5), count)


def test_where_that_keeps_nothing_says_so() -> None:
    assert where(grid(a=[1, 2, 3]), lambda v: v["a"] > 1) == [{"a": 2}, {"a": 3}]
    assert where(sweep(BASE, grid(lr=[1, 2])), lambda c: c.lr == 2)[0].lr == 2
    with pytest.raises(ConfigError, match="where kept none of 3 items"):
        where(grid(a=[1, 2, 3]), lambda v: False)
