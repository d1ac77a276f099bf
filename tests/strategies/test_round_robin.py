"""Round robin is exact: under any calls, from any thread, and when the configs change."""

import pickle
import threading
from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from understudy.configs import Config
from understudy.strategies import Call, RoundRobinStrategy

A, B, C, D = (Config(name=name) for name in "abcd")
CALL = Call(print)


def names(strategy: RoundRobinStrategy, configs: Sequence[Config], count: int) -> str:
    return "".join(strategy.plan(CALL, configs).primary.name for _ in range(count))


def test_each_config_has_its_turn_alone() -> None:
    strategy = RoundRobinStrategy()
    assert names(strategy, (A, B, C), 7) == "abcabca"
    plan = strategy.plan(CALL, (A, B, C))
    assert (plan.configs, plan.reason, plan.skipped) == ((B,), "round_robin", ())


@given(st.integers(1, 9), st.integers(0, 100), st.integers(0, 100))
def test_counts_differ_by_at_most_one_over_any_calls_in_a_row(
    size: int, before: int, count: int
) -> None:
    configs = tuple(Config(n=n) for n in range(size))
    strategy = RoundRobinStrategy()
    for _ in range(before):
        strategy.plan(CALL, configs)
    counts = Counter(strategy.plan(CALL, configs).primary.n for _ in range(count))
    spread = [counts[n] for n in range(size)]
    assert sum(spread) == count
    assert max(spread) - min(spread) <= 1


def test_threads_that_plan_at_once_miss_no_turn() -> None:
    configs = tuple(Config(n=n) for n in range(7))
    strategy = RoundRobinStrategy()
    together = threading.Barrier(8)
    counted: list[Counter[int]] = []

    def plan_many() -> None:
        together.wait()
        counted.append(Counter(strategy.plan(CALL, configs).primary.n for _ in range(2_000)))

    threads = [threading.Thread(target=plan_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = sum(counted, Counter[int]())
    assert sum(counts.values()) == 16_000
    assert {*counts.values()} == {16_000 // 7, 16_000 // 7 + 1}


def test_plans_are_made_once_for_the_same_configs() -> None:
    strategy = RoundRobinStrategy()
    as_tuple, as_list = (A, B), [A, B]
    first, second = (strategy.plan(CALL, as_tuple) for _ in range(2))
    assert strategy.plan(CALL, as_tuple) is first
    assert strategy.plan(CALL, as_list) is second


def test_a_list_that_is_changed_in_place_is_other_configs() -> None:
    configs = [A, B]
    strategy = RoundRobinStrategy()
    assert names(strategy, configs, 1) == "a"
    configs.append(C)
    assert names(strategy, configs, 4) == "bcab"
    configs[:] = [D]
    assert names(strategy, configs, 2) == "dd"


def test_other_configs_go_on_after_the_one_that_answered_last() -> None:
    strategy = RoundRobinStrategy()
    assert names(strategy, (A, B, C), 1) == "a"
    assert names(strategy, (A, C, D), 2) == "cd"
    assert names(strategy, (D, A), 1) == "a"
    assert names(strategy, (B, C), 1) == "b"


def test_configs_that_were_loaded_again_go_on() -> None:
    strategy = RoundRobinStrategy()
    assert names(strategy, (A, B, C), 4) == "abca"
    again = tuple(Config(config.to_dict()) for config in (A, B, C))
    plan = strategy.plan(CALL, again)
    assert plan.primary is again[1]


def test_two_sets_of_configs_used_by_turns_are_each_exact() -> None:
    strategy = RoundRobinStrategy()
    played = [names(strategy, configs, 1) for _ in range(4) for configs in ((A, B), (C, D))]
    assert "".join(played) == "acbdacbd"


def test_configs_that_change_forever_are_forgotten() -> None:
    strategy = RoundRobinStrategy()
    for number in range(1_000):
        assert strategy.plan(CALL, (Config(n=number), A)).configs
    assert len(strategy._turns) <= 64


def test_a_fresh_one_begins_anew_and_shares_nothing() -> None:
    strategy = RoundRobinStrategy()
    assert names(strategy, (A, B, C), 2) == "ab"
    for fresh in (strategy.fresh(), pickle.loads(pickle.dumps(strategy))):
        assert names(fresh, (A, B, C), 1) == "a"
    assert names(strategy, (A, B, C), 1) == "c"
    assert repr(strategy) == "RoundRobinStrategy()"
