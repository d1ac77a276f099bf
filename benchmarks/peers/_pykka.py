"""The calls in the hands of Pykka: a thread for each actor."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, Final

from benchmarks._peers import load

from ._contender import Contender, Way, Ways
from ._kinds import KINDS
from ._ways import called


@contextmanager
def _pykka(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    pykka = load("pykka")
    base: Any = pykka.ThreadingActor

    class Echo(base):  # type: ignore[misc]
        def on_receive(self, message: Any) -> Any:
            return message

    class Outer(base):  # type: ignore[misc]
        def on_receive(self, message: Any) -> Any:
            return inner.ask(message)

    four = [Echo.start() for _ in range(4)]
    lead, inner = four[:2]

    def shadowed(shadows: int) -> Way:
        beside = four[1 : shadows + 1]

        def way(calls: int) -> Any:
            answer: Any = None
            for x in range(calls):
                for each in beside:
                    each.tell(x)
                answer = lead.ask(x)
            for each in beside:
                each.ask(0)  # it is the last in the queue: all before it have played
            return answer

        return way

    def in_turn(calls: int) -> Any:
        answer: Any = None
        turns = cycle(four)
        for x in range(calls):
            answer = next(turns).ask(x)
        return answer

    def all_answers(x: int) -> Any:
        return pykka.get_all([each.ask(x, block=False) for each in four])[-1]

    def in_flight(calls: int) -> Any:
        return pykka.get_all([lead.ask(x, block=False) for x in range(calls)])[-1]

    try:
        yield {
            "single": called(lead.ask),
            "shadow_1": shadowed(1),
            "shadow_3": shadowed(3),
            "multi_4": called(all_answers),
            "robin_4": in_turn,
            "nested_2": called(Outer.start().ask),
            "flight_1000": in_flight,
            "flight_10000": in_flight,
        }
    finally:
        pykka.ActorRegistry.stop_all()


_NO_CALL: Final = "its functions play in the threads of actors, see single"
_BLOCKS: Final = "a loop that awaits its future is blocked until it is there"

CONTENDER = Contender(
    key="pykka",
    title="Pykka",
    how="ThreadingActor; ask, and tell for shadows; its functions do not suspend",
    open=_pykka,
    cannot={
        "stream_100": "an answer is one value",
        "sync_direct": _NO_CALL,
        "sync_shadow": _NO_CALL,
        "bridge": _BLOCKS,
        "bridge_1000": _BLOCKS,
    },
    distribution="pykka",
    loops=("asyncio",),
    is_loopless=True,
    wall=tuple(KINDS),
    calls=300,
)
