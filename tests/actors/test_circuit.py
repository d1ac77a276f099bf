"""The circuit, against a model that knows who is under way."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from understudy.actors import Circuit, CircuitBreaker, CircuitState

SECOND = 1_000_000_000
ENDS = ("succeeded", "failed", "ended_otherwise")


class World:
    """A circuit, a clock, and what was told."""

    def __init__(self, failures: int = 2, cooldown: float = 10.0) -> None:
        self.now = 0
        self.told: list[str] = []
        breaker = CircuitBreaker(failures=failures, cooldown=cooldown)
        self.circuit = Circuit(breaker, lambda: self.now, self._tell)

    def _tell(self, state: CircuitState) -> None:
        assert self.circuit.state is state
        self.told.append(str(state))

    def play(self, end: str) -> bool:
        """Have one play and end; False if it was not let through."""
        if not self.circuit.lets_through():
            return False
        getattr(self.circuit, end)(self.circuit.turn)
        return True

    def half_open(self) -> int:
        """Open the circuit, let the time pass, and let the one through that is tried."""
        while self.play("failed"):
            pass
        self.now += 10 * SECOND
        assert self.circuit.lets_through()
        self.told.clear()
        return self.circuit.turn


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    world = World(failures=3)
    for end in ("failed", "failed", "succeeded", "failed", "failed"):
        assert world.play(end)
        assert world.told == []
    assert world.play("failed")
    assert world.told == ["open"]
    assert not world.play("succeeded")


def test_what_tells_nothing_neither_counts_nor_forgives() -> None:
    world = World(failures=2)
    assert world.play("failed")
    assert world.play("ended_otherwise")
    assert world.told == []
    assert world.play("failed")
    assert world.told == ["open"]


def test_it_is_open_until_the_time_is_over_and_then_exactly_one_is_tried() -> None:
    world = World()
    world.play("failed")
    world.play("failed")
    world.now = 10 * SECOND - 1
    assert not world.circuit.lets_through()
    world.now = 10 * SECOND
    assert [world.circuit.lets_through() for _ in range(5)] == [True, *[False] * 4]
    assert world.told == ["open", "half_open"]


def test_it_closes_when_the_one_that_is_tried_goes_well() -> None:
    world = World()
    turn = world.half_open()
    world.circuit.succeeded(turn)
    assert world.told == ["closed"]
    assert world.play("failed")
    assert world.told == ["closed"]
    assert world.play("failed")
    assert world.told == ["closed", "open"]


def test_it_opens_for_the_whole_time_again_when_the_one_that_is_tried_fails() -> None:
    world = World()
    turn = world.half_open()
    world.now += SECOND
    world.circuit.failed(turn)
    assert world.told == ["open"]
    world.now += 10 * SECOND - 1
    assert not world.circuit.lets_through()
    world.now += 1
    assert world.circuit.lets_through()


def test_one_that_is_tried_and_ends_otherwise_lets_the_next_be_tried() -> None:
    world = World()
    for _ in range(3):
        turn = world.half_open()
        world.circuit.ended_otherwise(turn)
        assert world.told == []
        assert [world.circuit.lets_through() for _ in range(2)] == [True, False]
        world.circuit.succeeded(world.circuit.turn)
        assert world.told == ["closed"]


@pytest.mark.parametrize("end", ENDS)
def test_one_that_began_before_it_opened_is_not_taken_for_the_one_that_is_tried(end: str) -> None:
    world = World()
    assert world.circuit.lets_through()
    old = world.circuit.turn
    tried = world.half_open()
    getattr(world.circuit, end)(old)
    assert world.circuit.state is CircuitState.HALF_OPEN
    assert not world.circuit.lets_through()
    world.circuit.succeeded(tried)
    assert world.told == ["closed"]


def test_failures_from_before_it_opened_do_not_open_it_again() -> None:
    world = World(failures=1)
    assert world.circuit.lets_through()
    old = world.circuit.turn
    world.circuit.succeeded(world.half_open())
    world.circuit.failed(old)
    assert world.circuit.state is CircuitState.CLOSED


class CircuitMachine(RuleBasedStateMachine):
    """Many under way at a time, that end in any order and way, while time passes."""

    @initialize(failures=st.integers(1, 3), cooldown=st.integers(0, 3))
    def begin(self, failures: int, cooldown: int) -> None:
        self.world = World(failures, cooldown)
        self.circuit = self.world.circuit
        self.failures, self.cooldown = failures, cooldown
        self.state = "closed"
        self.expected: list[str] = []
        self.in_a_row = 0
        self.opened = 0
        self.under_way: list[tuple[int, int]] = []  # the turn it noted, and the model's own
        self.turn = 0
        self.tried = 0

    def _turn(self, state: str) -> None:
        self.state = state
        self.turn += 1
        self.expected.append(state)

    @rule()
    def come(self) -> None:
        if self.state == "open" and self.world.now - self.opened >= self.cooldown * SECOND:
            self._turn("half_open")
            self.tried = 0
        may = self.state == "closed" or (self.state == "half_open" and self.tried == 0)
        assert self.circuit.lets_through() == may
        if may:
            self.tried += self.state == "half_open"
            self.under_way.append((self.circuit.turn, self.turn))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), end=st.sampled_from(ENDS))
    def end(self, data: st.DataObject, end: str) -> None:
        place = data.draw(st.integers(0, len(self.under_way) - 1))
        noted, turn = self.under_way.pop(place)
        if turn == self.turn:
            self._count(end)
        getattr(self.circuit, end)(noted)

    def _count(self, end: str) -> None:
        if self.state == "half_open":
            self.tried = 0
        if end == "succeeded":
            self.in_a_row = 0
            if self.state == "half_open":
                self._turn("closed")
        elif end == "failed":
            self.in_a_row += 1
            if self.state == "half_open" or self.in_a_row >= self.failures:
                self.opened = self.world.now
                self._turn("open")

    @rule(seconds=st.floats(0, 3))
    def wait(self, seconds: float) -> None:
        self.world.now += int(seconds * SECOND)

    @invariant()
    def it_is_as_the_model(self) -> None:
        assert self.circuit.state == self.state
        assert self.world.told == self.expected

    @invariant()
    def one_at_most_is_tried(self) -> None:
        if self.state == "half_open":
            assert sum(turn == self.turn for _, turn in self.under_way) <= 1

    def teardown(self) -> None:
        """Whatever happened, it closes again once all that is under way has ended."""
        if not hasattr(self, "world"):
            return
        for noted, _ in self.under_way:
            self.circuit.ended_otherwise(noted)
        self.world.now += 10 * SECOND
        assert self.world.play("succeeded")
        assert self.circuit.state is CircuitState.CLOSED


TestCircuitMachine = CircuitMachine.TestCase
