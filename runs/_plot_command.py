"""`understudy runs plot`: curves in the terminal, or in a file."""

import sys
from argparse import Namespace
from pathlib import Path
from shutil import get_terminal_size
from typing import Final

import msgspec

from understudy.terminal import coloured, plain, printable, wants_colour, width_of_output, write

from ._chart import chart
from ._command import write_json
from ._curves import plotted
from ._errors import RunArgumentError
from ._which import all_of

_HIGHEST: Final = 20
_BESIDE: Final = 6
"""How many rows the axis, the legend and the next prompt take."""


def run(asked: Namespace) -> int:
    """Draw them."""
    target = None if asked.output is None else Path(asked.output)
    if target is not None and target.suffix.lower() not in (".svg", ".png"):
        raise RunArgumentError(f"{asked.output}: a plot is saved as .svg or .png")
    runs = all_of(asked.names, asked.root)
    found = plotted(runs, asked.metric, x=asked.x, smooth=asked.smooth, log=asked.log)
    if target is not None:
        from ._plot import draw

        draw(found, target, asked.title)
        if asked.json:
            write_json({"path": str(target.absolute()), "curves": len(found.curves)})
        else:
            write(f"{printable(target)}\n")
        return 0
    if asked.json:
        write_json(msgspec.to_builtins(found))
        return 0
    is_coloured = wants_colour(asked.color)
    paint = coloured if is_coloured else plain
    if asked.title:
        write(f"{paint(printable(asked.title), 'bold')}\n")
    rows = get_terminal_size((80, 24)).lines if sys.stdout.isatty() else 24
    height = max(4, min(_HIGHEST, rows - _BESIDE - min(6, len(found.curves))))
    drawn = chart(found, width_of_output(80), height, paint, is_coloured=is_coloured)
    write(f"{drawn}\n")
    return 0
