"""What a call costs in the hands of each peer, beside its physical floor and understudy.

Each contender has a process of its own on each loop. In it the floor, understudy and the contender
take turns in each round, by the same clock: CPU time of the loop's thread, or wall time where
threads or processes are part of the work. Such a process has one CPU, but for Ray, which has all.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks._command import QUICK_NS, Teller, options
from benchmarks._harness import LEAST_NS

from ._contenders import CONTENDERS, why_not
from ._kinds import KINDS
from ._measure import measure
from ._report import PeersTold, gathered, render
from ._worker import Task, Told

_PATIENCE: Final = 10.0
"""After how many seconds no further round of one kind of call begins."""
_DISTRIBUTIONS: Final = [
    *dict.fromkeys(each.distribution for each in CONTENDERS.values() if each.distribution)
]


def told_by(
    rounds: int,
    *,
    is_quick: bool = False,
    only: Sequence[str] = tuple(CONTENDERS),
    kinds: Sequence[str] = tuple(KINDS),
) -> PeersTold:
    """Measure the contenders that are installed, one after the other."""
    told: list[Told] = []
    for key in only:
        contender = CONTENDERS[key]
        can = tuple(kind for kind in kinds if not why_not(contender, KINDS[kind]))
        for loop in contender.loops if can else ():
            print(f"{contender.title}, {loop} ...", file=sys.stderr, flush=True)
            told += measure(
                Task(
                    contender=key,
                    loop=loop,
                    kinds=can,
                    rounds=rounds,
                    least_ns=QUICK_NS if is_quick else LEAST_NS,
                    patience=_PATIENCE,
                    is_quick=is_quick,
                )
            )
    return gathered(told)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for, and tell it."""
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=summary, parents=[options()])
    parser.add_argument("--only", nargs="+", choices=[*CONTENDERS], default=[*CONTENDERS])
    parser.add_argument("--kinds", nargs="+", choices=[*KINDS], default=[*KINDS])
    given = parser.parse_args(arguments)
    teller = Teller(__doc__ or "", given, _DISTRIBUTIONS)
    told = told_by(teller.rounds, is_quick=given.quick, only=given.only, kinds=given.kinds)
    teller.tell(told, render(told))


if __name__ == "__main__":
    main()
