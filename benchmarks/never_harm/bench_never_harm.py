"""Whether a shadow that misbehaves harms its lead: in understudy, in its peers, by hand.

Requests arrive on a schedule, whatever became of those before, and a latency counts from the time
on the schedule. The p99 of the lead is to be within 5 % and 1 ms of the same load without a shadow,
no request lost, threads and shadows within their limits, the accounts exact.

Each cell (a library, a way of calling, a misdeed) has a process of its own, with a limit on its
memory. In it, phases with the shadow and without take turns, on the same schedules; what is told is
the median of the rounds. `nothing` and `blocks the loop` are controls: the first shows the noise,
the second that harm is seen.

With `--sinks` events take the place of the shadow: they go to a sink that misbehaves, or nowhere.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks._command import options
from benchmarks._page import rewrite

from ._cells import CASES, LIBRARIES, SINKS, WAYS, cells, cells_of_sinks
from ._measure import measure
from ._page import BEGIN, BEGIN_OF_SINKS, measured, measured_of_sinks
from ._plot import draw
from ._table import (
    DISTRIBUTIONS,
    Report,
    append_json,
    installed,
    lead_of,
    milliseconds,
    read_json,
    render,
)
from ._verdict import Verdict

_RATE: Final = 200.0
_SECONDS: Final = 1.0
_MEMORY: Final = 256 * 2**20
_DOCS: Final = Path(__file__).parents[2] / "docs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for, and tell it; return the exit code."""
    given = _parser().parse_args(arguments)
    report = read_json(given.told) if given.told is not None else _measured(given)
    print(render(report))
    if given.json is not None and given.told is None:
        append_json(given.json, report)
    if given.docs:
        _write_docs(report)
    return 0


def _write_docs(report: Report) -> None:
    page = _DOCS / "never-harm.md"
    if report.of_sinks():
        rewrite(page, BEGIN_OF_SINKS, measured_of_sinks(report))
    else:
        rewrite(page, BEGIN, measured(report))
        (_DOCS / "never-harm.svg").write_text(draw(report), encoding="utf-8")


def _measured(given: argparse.Namespace) -> Report:
    missing = DISTRIBUTIONS.keys() - installed()
    libraries = tuple(name for name in given.libraries if name not in missing)
    load: dict[str, Any] = {
        "rounds": given.rounds,
        "seconds": given.seconds,
        "rate": given.rate,
        "memory": _MEMORY,
        "ways": tuple(given.ways),
    }
    if given.sinks is None:
        asked = list(cells(**load, libraries=libraries, cases=tuple(given.cases)))
    else:
        asked = list(cells_of_sinks(**load, sinks=tuple(given.sinks or SINKS)))
    verdicts: list[Verdict] = []
    for cell in asked:
        verdict = measure(cell)
        verdicts.append(verdict)
        _tell(verdict)
    return Report.of_this_run(verdicts)


def _tell(verdict: Verdict) -> None:
    """Say on the way how it goes."""
    cell = verdict.cell
    print(
        f"{cell.library} {cell.way} {cell.sink or cell.case}: {milliseconds(verdict.p99_alone)} -> "
        f"{milliseconds(verdict.p99)}, {lead_of(verdict)}",
        file=sys.stderr,
        flush=True,
    )


def _parser() -> argparse.ArgumentParser:
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=summary, parents=[options()])
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="how long a phase is")
    parser.add_argument("--rate", type=float, default=_RATE, help="requests in a second")
    for name, known in (("libraries", LIBRARIES), ("ways", WAYS), ("cases", CASES)):
        parser.add_argument(f"--{name}", nargs="+", choices=[*known], default=[*known])
    parser.add_argument(
        "--from", dest="told", type=Path, metavar="FILE", help="tell what is in FILE, as JSON"
    )
    parser.add_argument(
        *("--sinks", "--sink"),
        nargs="*",
        choices=[*SINKS],
        help="measure what events to sinks that misbehave do, all or some, in place of shadows",
    )
    parser.add_argument(
        "--docs", action="store_true", help="write the part of docs/never-harm.md that was measured"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
