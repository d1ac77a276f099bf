"""The command `understudy runs import`."""

import argparse
from typing import Any

from ._importing import ImportedRun, importing
from ._sources import KINDS


def add_import(commands: Any) -> None:
    """Add `import` to the commands of `understudy runs`.

    Args:
        commands: what `add_subparsers` returned.

    Example:
        >>> import argparse
        >>> from understudy.runs._import_command import add_import
        >>> parser = argparse.ArgumentParser()
        >>> add_import(parser.add_subparsers())
        >>> parser.parse_args(["import", "mlruns", "--from", "mlflow"]).kind
        'mlflow'
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "import",
        help="Bring the runs of other tools here.",
        description="Import runs of ml-dash, MLflow (its file store), wandb (offline) and "
        "tensorboard. The sources are only read; importing again adds nothing twice.",
    )
    parser.add_argument("source", metavar="SOURCE", help="a run, or a folder with runs")
    parser.add_argument(
        "--from", dest="kind", choices=KINDS, help="the tool that made them; all, if left out"
    )
    parser.add_argument(
        "--root",
        metavar="FOLDER",
        help="the folder of all runs: else UNDERSTUDY_ROOT, or experiments",
    )
    parser.add_argument("--project", metavar="NAME", help="what they are to belong to")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each run")
    parser.set_defaults(run=_import)


def _import(asked: argparse.Namespace) -> int:
    """Import, and tell of each run as it comes; 1 if one of them was left out."""
    is_whole = True
    for found in importing(asked.source, asked.kind, root=asked.root, project=asked.project):
        print(_as_json(found) if asked.json else _as_text(found), flush=True)
        is_whole = is_whole and found.how != "left out"
    return 0 if is_whole else 1


def _as_json(found: ImportedRun) -> str:
    import msgspec

    return msgspec.json.encode(found, enc_hook=str).decode()


def _as_text(found: ImportedRun) -> str:
    """Return one line, which nothing in a name can break."""
    points = f", {found.points:,} points" if found.path is not None and found.points else ""
    line = f"{found.how:8}  {found.kind:11}  {found.project}/{found.prefix}{points}"
    if found.left_out:
        line += f" -- left out: {'; '.join(found.left_out)}"
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
