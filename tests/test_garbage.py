"""The check for garbage in cycles can fail, and fails for its own part alone."""

import gc

import pytest

from tests.garbage import no_cycles


def leave_a_cycle() -> None:
    loop: list[object] = []
    loop.append(loop)


def test_a_cycle_is_found() -> None:
    with pytest.raises(AssertionError, match="a list: 1 object in cycles"), no_cycles("a list"):
        leave_a_cycle()
    assert gc.isenabled()


def test_what_was_there_before_is_none_of_it() -> None:
    class Returns:
        """What finalises itself into life again takes the collector another round."""

        kept: object = None

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            Returns.kept = self

    Returns()
    with no_cycles():
        Returns.kept = None
    assert gc.collect() >= 1
