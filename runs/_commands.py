"""The command `understudy runs`: what can be asked for; each part is in a room of its own."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from importlib import import_module
from typing import Any, Final

from ._import_command import add_import

_TOLD: Final = "List, show, compare, plot, export, remove and import recorded runs."
_RUN: Final = "project/prefix, a prefix, an id or its start, or the folder of a run"
_RUN_OR_FILTER: Final = f"{_RUN}; or a filter, as for ls"
_ROOT: Final = "the folder of all runs: else UNDERSTUDY_ROOT, or experiments"
_STATUSES: Final = ("RUNNING", "COMPLETED", "FAILED", "CANCELLED", "LOST")
FORMATS: Final = ("jsonl", "csv", "json", "zip", "parquet")


def add_runs_command(commands: Any) -> None:
    """Add `runs` to what argparse gathers.

    Each of its commands has a `run`, which takes what was asked for and returns what the process
    exits with.

    Example:
        >>> import argparse
        >>> from understudy.runs import Run, add_runs_command
        >>> with Run(prefix="first") as run:
        ...     run.params.set(lr=0.1)
        >>> parser = argparse.ArgumentParser()
        >>> add_runs_command(parser.add_subparsers())
        >>> asked = parser.parse_args(["runs", "ls", "params.lr > 0", "--columns", "params.lr"])
        >>> asked.run(asked)
        status     run             lr
        COMPLETED  project/first  0.1
        0
    """
    parser: ArgumentParser = commands.add_parser("runs", help=_TOLD, description=_TOLD)
    asked = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_ls(asked)
    _add_show(asked)
    _add_diff(asked)
    _add_plot(asked)
    _add_export(asked)
    _add_rm(asked)
    add_import(asked)


def _command(commands: Any, name: str, room: str, told: str, *others: str) -> ArgumentParser:
    def run(asked: Namespace) -> int:
        code: int = import_module(f".{room}", __package__).run(asked)
        return code

    parser: ArgumentParser = commands.add_parser(name, aliases=others, help=told, description=told)
    parser.set_defaults(run=run)
    parser.add_argument("--root", metavar="FOLDER", help=_ROOT)
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _add_colour(parser: ArgumentParser) -> None:
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ArgumentTypeError(f"a whole number from 0 on, not {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise ArgumentTypeError(f"a number from 0 to less than 1, as 0.9, not {text!r}")
    return value


def _status(text: str) -> str:
    if text.upper() not in _STATUSES:
        raise ArgumentTypeError(f"one of {', '.join(_STATUSES)}, not {text!r}")
    return text.upper()


def _names(text: str) -> list[str]:
    return [name for name in map(str.strip, text.split(",")) if name]


def _add_ls(commands: Any) -> None:
    parser = _command(commands, "ls", "_list_command", "List runs, the newest first.", "list")
    parser.add_argument(
        "filter", nargs="?", metavar="FILTER", help="such as: metrics.val.loss < 0.1"
    )
    parser.add_argument("--project", metavar="NAME", help="of this project only")
    parser.add_argument("--status", type=_status, help=f"that are so only: {', '.join(_STATUSES)}")
    parser.add_argument(
        "--tag", action="append", metavar="TAG", help="that have this tag; may be repeated"
    )
    parser.add_argument(
        "--sort",
        default="-created",
        metavar="NAME",
        help="by this: params.lr, metrics.val.loss.min; --sort=-NAME has the greatest first",
    )
    parser.add_argument("-n", "--limit", type=_whole, metavar="COUNT", help="so many at most")
    parser.add_argument(
        "--columns", type=_names, metavar="NAMES", help="these: params.lr,metrics.train.loss.min"
    )
    parser.add_argument("--rebuild", action="store_true", help="throw the index away, look anew")
    _add_colour(parser)


def _add_show(commands: Any) -> None:
    parser = _command(commands, "show", "_show_command", "Show all that is known of a run.")
    parser.add_argument("name", metavar="RUN", help=_RUN)
    parser.add_argument(
        "-n", "--lines", type=_whole, default=10, metavar="LINES", help="so many of its log (10)"
    )
    _add_colour(parser)


def _add_diff(commands: Any) -> None:
    parser = _command(
        commands, "diff", "_diff_command", "Show what differs between runs.", "compare"
    )
    parser.add_argument("names", nargs="+", metavar="RUN|FILTER", help=_RUN_OR_FILTER)
    parser.add_argument("--all", action="store_true", help="parameters that are the same, too")
    parser.add_argument(
        "--packages", action="store_true", help="the packages and machines that differ, too"
    )
    _add_colour(parser)


def _add_plot(commands: Any) -> None:
    told = "Plot metrics of runs: here, or into a file with matplotlib."
    parser = _command(commands, "plot", "_plot_command", told)
    parser.add_argument("names", nargs="+", metavar="RUN|FILTER", help=_RUN_OR_FILTER)
    parser.add_argument(
        "-m",
        "--metric",
        action="append",
        metavar="NAME",
        help="train.loss: the field loss of the metric train; may be repeated",
    )
    parser.add_argument(
        "--x", default="step", metavar="FIELD", help="what is to the right: step, ts or a field"
    )
    parser.add_argument(
        "--smooth", type=_share, default=0.0, metavar="SHARE", help="from 0 (not at all) to 0.99"
    )
    parser.add_argument("--log", action="store_true", help="a logarithmic scale")
    parser.add_argument("-o", "--output", metavar="FILE", help="into this .svg or .png")
    parser.add_argument("--title", help="what stands above")
    _add_colour(parser)


def _add_export(commands: Any) -> None:
    told = "Write runs out: their points, all that is known of them, or their folders."
    parser = _command(commands, "export", "_export_command", told)
    parser.add_argument("name", metavar="RUN|FILTER", help=_RUN_OR_FILTER)
    parser.add_argument(
        "-f",
        "--format",
        choices=FORMATS,
        help="jsonl, csv, parquet: the points; json: all that is known; zip: the folders",
    )
    parser.add_argument(
        "-m", "--metric", action="append", metavar="NAME", help="only this metric; may be repeated"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="into this file; a folder, for csv of several metrics; else it is written here",
    )


def _add_rm(commands: Any) -> None:
    parser = _command(commands, "rm", "_rm_command", "Remove runs, with all that they recorded.")
    parser.add_argument("names", nargs="+", metavar="RUN", help=_RUN)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--force", action="store_true", help="also those that are running")
