"""What commands write to a terminal: tables that fit, texts that do nothing to it, colours.

Layout:

    _table   tables, as wide as they may be; how wide a text is, and texts that are cut
    _text    `printable`: a text that does nothing to a terminal
    _output  where it goes: `write`, `wait_for_more`, `wants_colour`, `coloured`
"""

from ._output import coloured as coloured
from ._output import plain as plain
from ._output import wait_for_more as wait_for_more
from ._output import wants_colour as wants_colour
from ._output import width_of_output as width_of_output
from ._output import write as write
from ._table import cut as cut
from ._table import padded as padded
from ._table import shortened as shortened
from ._table import table as table
from ._table import width_of as width_of
from ._text import printable as printable

__all__ = [
    "coloured",
    "cut",
    "padded",
    "plain",
    "printable",
    "shortened",
    "table",
    "wait_for_more",
    "wants_colour",
    "width_of",
    "width_of_output",
    "write",
]
