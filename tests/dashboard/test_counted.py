"""Counts by name are exact as long as the names are few, and their sum is always."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from understudy.dashboard import Counted

NAMES = st.lists(st.sampled_from("abcdefghijklmnop"), max_size=80)


def counted(names: list[str], most: int = 20) -> Counted:
    found = Counted(most=most)
    for name in names:
        found.add(name)
    return found


@given(NAMES, NAMES)
def test_few_names_are_counted_exactly_and_merge_exactly(a: list[str], b: list[str]) -> None:
    merged = counted(a)
    merged.merge(counted(b))
    assert merged.names == Counter([*a, *b])
    assert merged.rest == 0


@given(NAMES, NAMES)
def test_the_total_is_exact_however_many_names_there_are(a: list[str], b: list[str]) -> None:
    merged = counted(a, most=2)
    merged.merge(counted(b, most=2))
    assert merged.total == len(a) + len(b)
    assert len(merged.names) <= 4
    assert sum(merged.ranked().values()) == merged.total
    true = Counter([*a, *b])
    assert all(count <= true[name] for name, count in merged.names.items())


def test_the_most_frequent_come_first_and_the_others_are_one_number() -> None:
    assert counted([*"aaabbc"], most=2).ranked() == {"a": 3, "b": 2, "(others)": 1}


def test_what_is_frequent_stays_among_names_that_are_not() -> None:
    names = [name for number in range(1_000) for name in ("often", f"once {number}")]
    assert counted(names).names["often"] == 1_000


def test_a_name_is_cut_where_it_is_far_too_long() -> None:
    (name,) = counted(["x" * 10_000, "x" * 10_000]).names
    assert len(name) == 201
