"""Permits and a FIFO, against a model as simple as can be."""

import weakref
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from understudy.actors import Mailbox


class Entry:
    """One who waits, and notes when it is admitted."""

    def __init__(self, number: int, admitted: list[int]) -> None:
        self.number = number
        self.is_gone = False
        self._admitted = admitted

    def admit(self) -> bool:
        if self.is_gone:
            return False
        self._admitted.append(self.number)
        return True

    def refuse(self, error: BaseException) -> None:
        raise AssertionError("a mailbox leaves it to others to refuse")


def test_one_who_comes_does_not_overtake_those_who_wait() -> None:
    mailbox, admitted = Mailbox(concurrency=1), list[int]()
    assert mailbox.take()
    mailbox.wait(Entry(1, admitted))
    mailbox.give_back()
    assert admitted == [1]
    assert not mailbox.take()
    assert mailbox.running == 1


def test_a_permit_passes_by_those_who_are_gone() -> None:
    mailbox, admitted = Mailbox(concurrency=1), list[int]()
    assert mailbox.take()
    entries = [Entry(number, admitted) for number in range(3)]
    for entry in entries:
        mailbox.wait(entry)
    entries[0].is_gone = True
    mailbox.leave()
    entries[1].is_gone = True  # and has not said so yet
    mailbox.give_back()
    assert admitted == [2]
    assert mailbox.waiting == 1
    mailbox.leave()
    assert mailbox.waiting == 0


def test_a_permit_that_nobody_takes_is_free_again() -> None:
    mailbox, admitted = Mailbox(concurrency=1), list[int]()
    assert mailbox.take()
    entry = Entry(0, admitted)
    mailbox.wait(entry)
    entry.is_gone = True
    mailbox.give_back()
    mailbox.leave()
    assert mailbox.take()
    assert admitted == []


def test_one_who_left_is_not_counted_again_when_all_are_sent_away() -> None:
    mailbox, admitted = Mailbox(concurrency=1), list[int]()
    assert mailbox.take()
    entries = [Entry(number, admitted) for number in range(3)]
    for entry in entries:
        mailbox.wait(entry)
    entries[1].is_gone = True
    mailbox.leave()
    assert mailbox.clear() == [entries[0], entries[2]]
    assert mailbox.waiting == 0
    assert mailbox.clear() == []


def test_closing_and_opening_twice_is_as_good_as_once() -> None:
    mailbox, admitted = Mailbox(concurrency=2), list[int]()
    assert mailbox.take()
    mailbox.close()
    mailbox.close()
    assert not mailbox.take()
    mailbox.wait(Entry(1, admitted))
    mailbox.wait(Entry(2, admitted))
    mailbox.give_back()
    assert (admitted, mailbox.running) == ([], 0)
    mailbox.open()
    mailbox.open()
    assert (admitted, mailbox.running) == ([1, 2], 2)


def test_opening_passes_by_those_who_are_gone_and_keeps_their_permits_free() -> None:
    mailbox, admitted = Mailbox(concurrency=1), list[int]()
    mailbox.close()
    entry = Entry(0, admitted)
    mailbox.wait(entry)
    entry.is_gone = True  # and has not said so yet
    mailbox.open()
    mailbox.leave()
    assert (admitted, mailbox.running, mailbox.waiting) == ([], 0, 0)
    assert mailbox.take()


def test_waiters_that_leave_behind_a_stuck_head_take_no_memory() -> None:
    mailbox, admitted = Mailbox(concurrency=1), list[int]()
    assert mailbox.take()
    head = Entry(0, admitted)
    mailbox.wait(head)
    held: weakref.WeakSet[Entry] = weakref.WeakSet()
    most = 0
    for number in range(1, 1000):
        entry = Entry(number, admitted)
        held.add(entry)
        mailbox.wait(entry)
        entry.is_gone = True
        mailbox.leave()
        del entry
        most = max(most, len(held))
    assert most < 32
    mailbox.give_back()
    assert admitted == [0]
    assert len(held) == 0


def test_those_who_left_are_let_go_of_when_nobody_waits_any_more() -> None:
    mailbox, admitted = Mailbox(concurrency=1), list[int]()
    assert mailbox.take()
    held: weakref.WeakSet[Entry] = weakref.WeakSet()
    entries = [Entry(number, admitted) for number in range(10)]
    for entry in entries:
        held.add(entry)
        mailbox.wait(entry)
    while entries:
        entries.pop().is_gone = True
        mailbox.leave()
    entry = Entry(10, admitted)
    assert len(held) == 0


def test_a_mailbox_in_which_nobody_may_wait_is_full_only_while_it_is_busy() -> None:
    mailbox = Mailbox(concurrency=1, capacity=0)
    assert not mailbox.is_full
    assert mailbox.take()
    assert mailbox.is_full


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"concurrency": -1}, {"capacity": -1}])
def test_a_mailbox_that_could_never_admit_anybody_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        Mailbox(**wrong)


class MailboxMachine(RuleBasedStateMachine):
    """Any sequence of everything that can be done to a mailbox, beside a list and a number."""

    @initialize(concurrency=st.integers(1, 3), capacity=st.integers(0, 4))
    def begin(self, concurrency: int, capacity: int) -> None:
        self.mailbox = Mailbox(concurrency, capacity)
        self.admitted: list[int] = []
        self.expected: list[int] = []
        self.waiting: list[Entry] = []
        self.unnoticed = 0
        self.running = 0
        self.is_open = True
        self.most = 0
        self.last = 0
        self.held: weakref.WeakSet[Entry] = weakref.WeakSet()

    def _hand_on(self) -> None:
        while self.is_open and self.waiting and self.running < self.mailbox.concurrency:
            self.expected.append(self.waiting.pop(0).number)
            self.running += 1

    @rule()
    def come(self) -> None:
        may_run = self.is_open and self.running < self.mailbox.concurrency
        took = self.mailbox.take()
        assert took == may_run
        if took:
            self.running += 1
            return
        self.last += 1
        entry = Entry(self.last, self.admitted)
        self.held.add(entry)
        self.waiting.append(entry)
        self.mailbox.wait(entry)
        self.most = max(self.most, len(self.waiting) + self.unnoticed)

    @precondition(lambda self: self.running)
    @rule()
    def end(self) -> None:
        self.running -= 1
        self._hand_on()
        self.mailbox.give_back()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), says_so=st.booleans())
    def go_away(self, data: st.DataObject, says_so: bool) -> None:
        entry = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        entry.is_gone = True
        self.unnoticed += 1
        if says_so:
            self.say_so()

    @precondition(lambda self: self.unnoticed)
    @rule()
    def say_so(self) -> None:
        self.unnoticed -= 1
        self.mailbox.leave()

    @rule()
    def close(self) -> None:
        self.is_open = False
        self.mailbox.close()

    @rule()
    def open(self) -> None:
        self.is_open = True
        self._hand_on()
        self.mailbox.open()

    @rule()
    def clear(self) -> None:
        waited, self.waiting = self.waiting, []
        assert self.mailbox.clear() == waited
        for entry in waited:
            entry.is_gone = True

    @invariant()
    def it_is_as_the_model(self) -> None:
        mailbox = self.mailbox
        waiting = len(self.waiting) + self.unnoticed
        assert self.admitted == self.expected
        assert mailbox.running == self.running <= mailbox.concurrency
        assert mailbox.waiting == waiting
        assert mailbox.most_waiting == self.most
        assert mailbox.is_open == self.is_open
        has_room = self.is_open and self.running < mailbox.concurrency
        assert mailbox.is_full == (waiting >= mailbox.capacity and not has_room)

    @invariant()
    def those_who_are_gone_are_let_go_of(self) -> None:
        assert len(self.held) <= 17 + 2 * self.most
        if not self.mailbox.waiting:
            assert len(self.held) == 0


TestMailboxMachine = MailboxMachine.TestCase
