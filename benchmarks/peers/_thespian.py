"""The calls in the hands of Thespian, on its fastest base: all actors in the caller's thread."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, Final

from benchmarks._peers import load

from ._contender import Contender, Way, Ways
from ._kinds import ITEMS
from ._ways import called

_PATIENCE: Final = 60.0


@contextmanager
def _thespian(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    actors = load("thespian.actors")
    base: Any = actors.Actor
    system = actors.ActorSystem("simpleSystemBase")

    class Echo(base):  # type: ignore[misc]
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if isinstance(message, int):
                self.send(sender, message)

    class Deaf(base):  # type: ignore[misc]
        played = 0

        def receiveMessage(self, message: Any, sender: Any) -> None:
            if isinstance(message, int):
                self.played += 1
            elif message == "how often?":
                self.send(sender, self.played)
                self.played = 0

    class Outer(base):  # type: ignore[misc]
        inner: Any = None
        caller: Any = None

        def receiveMessage(self, message: Any, sender: Any) -> None:
            if not isinstance(message, int):
                return
            if self.inner is None:
                self.inner = self.createActor(Echo)
            if sender == self.inner:
                self.send(self.caller, message)
            else:
                self.caller = sender
                self.send(self.inner, message)

    class Items(base):  # type: ignore[misc]
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if isinstance(message, int):
                for number in range(ITEMS):
                    self.send(sender, number)

    four = [system.createActor(Echo) for _ in range(4)]
    outer, items = system.createActor(Outer), system.createActor(Items)
    beside = [system.createActor(Deaf) for _ in range(3)]

    def ask(actor: Any, x: int) -> Any:
        return system.ask(actor, x, _PATIENCE)

    def shadowed(shadows: int) -> Way:
        def way(calls: int) -> Any:
            answer: Any = None
            for x in range(calls):
                for each in beside[:shadows]:
                    system.tell(each, x)
                answer = ask(four[0], x)
            for each in beside[:shadows]:
                if system.ask(each, "how often?", _PATIENCE) != calls:
                    raise RuntimeError("not all shadows have played")
            return answer

        return way

    def in_turn(calls: int) -> Any:
        answer: Any = None
        turns = cycle(four)
        for x in range(calls):
            answer = ask(next(turns), x)
        return answer

    def all_answers(x: int) -> Any:
        for each in four:
            system.tell(each, x)
        return [system.listen(_PATIENCE) for _ in four][-1]

    def all_items(x: int) -> Any:
        system.tell(items, x)
        return [system.listen(_PATIENCE) for _ in range(ITEMS)][-1]

    def in_flight(calls: int) -> Any:
        for x in range(calls):
            system.tell(four[0], x)
        return [system.listen(_PATIENCE) for _ in range(calls)][-1]

    try:
        yield {
            "single": called(lambda x: ask(four[0], x)),
            "shadow_1": shadowed(1),
            "shadow_3": shadowed(3),
            "multi_4": called(all_answers),
            "robin_4": in_turn,
            "nested_2": called(lambda x: ask(outer, x)),
            "stream_100": called(all_items),
            "flight_1000": in_flight,
            "flight_10000": in_flight,
        }
    finally:
        system.shutdown()


_NO_CALL: Final = "its functions play as actors, see single"
_BLOCKS: Final = "this base plays all in the thread that asks, which would be the loop's"

CONTENDER = Contender(
    key="thespian",
    title="Thespian",
    how="simpleSystemBase, which has no threads and no processes; ask, tell and listen",
    open=_thespian,
    cannot={
        "sync_direct": _NO_CALL,
        "sync_shadow": _NO_CALL,
        "bridge": _BLOCKS,
        "bridge_1000": _BLOCKS,
    },
    distribution="thespian",
    loops=("asyncio",),
    is_loopless=True,
    calls=300,
)
